//! The only place that starts programs: an argument list and never a shell, a time limit, bounded output.

mod dialogue;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

pub use dialogue::Dialogue;

/// Why a program gave no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcError {
    /// It could not be started.
    #[error("cannot start `{program}`: {source}")]
    Start {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It took too long, and was ended.
    #[error("`{program}` did not end within {} s and was ended", limit.as_secs())]
    Timeout {
        /// The program.
        program: PathBuf,
        /// How long it had.
        limit: Duration,
    },
    /// It failed.
    #[error("`{program}` failed ({code}): {said}")]
    Failed {
        /// The program.
        program: PathBuf,
        /// Its exit code, or how it ended.
        code: String,
        /// The end of what it said on standard error.
        said: String,
    },
    /// What it printed could not be read.
    #[error("cannot read what `{program}` prints: {source}")]
    Read {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// Limits the memory (address space) and the time on the processor of this very program, for good.
///
/// # Errors
/// Where the system refuses.
#[cfg(unix)]
pub fn limit_this_program(memory_bytes: u64, cpu_s: u64) -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let at_most = |value| Rlimit { current: Some(value), maximum: Some(value) };
    setrlimit(Resource::As, at_most(memory_bytes))?;
    setrlimit(Resource::Cpu, at_most(cpu_s))?;
    // A crash is told by its exit code; its memory is nobody's business.
    setrlimit(Resource::Core, at_most(0))?;
    Ok(())
}

/// What is printed beyond this is read and thrown away.
const MAX_OUTPUT: usize = 256 << 20;
/// The end of standard error that an error repeats.
const MAX_SAID: usize = 2_000;

/// Runs a program to its end and gives what it printed.
///
/// # Errors
/// Where it cannot be started, fails, or takes longer than `limit`; it is killed then.
pub async fn run(program: &Path, args: &[OsString], limit: Duration) -> Result<Vec<u8>, ProcError> {
    run_with_input(program, args, Vec::new(), limit).await
}

/// Runs a program to its end, with something to read on standard input, and gives what it printed.
///
/// # Errors
/// As [`run`].
pub async fn run_with_input(
    program: &Path,
    args: &[OsString],
    input: Vec<u8>,
    limit: Duration,
) -> Result<Vec<u8>, ProcError> {
    let name = || program.to_owned();
    let mut child = Command::new(program)
        .args(args)
        .stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| ProcError::Start { program: name(), source })?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async move {
        if let Some(mut stdin) = stdin {
            // One that ends before it has read all says why by its exit code.
            let _ = stdin.write_all(&input).await;
        }
    };
    let all = async {
        let ((), printed, said) = tokio::join!(feed, drain(stdout), drain(stderr));
        Ok((printed?, said?, child.wait().await?))
    };
    let ended =
        tokio::time::timeout(limit, all).await.map_err(|_| ProcError::Timeout { program: name(), limit })?;
    let (printed, said, status): (Vec<u8>, Vec<u8>, _) =
        ended.map_err(|source: std::io::Error| ProcError::Read { program: name(), source })?;
    if status.success() {
        return Ok(printed);
    }
    let code = status.code().map_or_else(|| "by a signal".to_owned(), |code| format!("exit code {code}"));
    let tail = &said[said.len().saturating_sub(MAX_SAID)..];
    Err(ProcError::Failed { program: name(), code, said: String::from_utf8_lossy(tail).trim().to_owned() })
}

async fn drain(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let Some(mut pipe) = pipe else { return Ok(Vec::new()) };
    let (mut kept, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
    loop {
        let read = pipe.read(&mut buffer).await?;
        if read == 0 {
            return Ok(kept);
        }
        let room = MAX_OUTPUT.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..read.min(room)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn gives_what_it_prints_and_says_why_it_failed() {
        let limit = Duration::from_secs(20);
        let printed = run(Path::new("/bin/echo"), &["out".into()], limit).await.unwrap();
        assert_eq!(printed, b"out\n");
        let script = ["-c".into(), "echo why >&2; exit 3".into()];
        let failed = run(Path::new("/bin/sh"), &script, limit).await.unwrap_err().to_string();
        assert!(failed.contains("exit code 3") && failed.contains("why"), "{failed}");
    }

    #[tokio::test]
    async fn is_ended_in_time() {
        let limit = Duration::from_millis(50);
        let ended = run(Path::new("/bin/sleep"), &["60".into()], limit).await;
        assert!(matches!(ended, Err(ProcError::Timeout { .. })));
    }
}
