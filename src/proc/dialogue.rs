//! A program that is talked to line by line.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::ProcError;

/// What one may say in all; a line is bounded by that as well.
const MAX_HEARD: u64 = 64 << 20;

/// A running program, ended when this is dropped. Whoever talks to it sets the time limit.
#[derive(Debug)]
pub struct Dialogue {
    _child: Child,
    stdin: ChildStdin,
    stdout: BufReader<tokio::io::Take<ChildStdout>>,
}

impl Dialogue {
    /// Starts a program: its path, then its arguments. What it says on standard error is not heard.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn start(command: &[String]) -> Result<Self, ProcError> {
        let (program, args) = command.split_first().map_or(("", &[][..]), |(p, args)| (p.as_str(), args));
        let failed = |source| ProcError::Start { program: Path::new(program).to_owned(), source };
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.ok_or_else(|| failed(std::io::Error::other("it has no pipes")))?;
        Ok(Self { _child: child, stdin, stdout: BufReader::new(stdout.take(MAX_HEARD)) })
    }

    /// Says a line.
    ///
    /// # Errors
    /// Where it has ended.
    pub async fn say(&mut self, line: &str) -> std::io::Result<()> {
        self.stdin.write_all(line.as_bytes()).await?;
        self.stdin.write_all(b"\n").await?;
        self.stdin.flush().await
    }

    /// The next line; `None` where it has ended, or has said too much.
    ///
    /// # Errors
    /// Where it cannot be heard.
    pub async fn hear(&mut self) -> std::io::Result<Option<String>> {
        let mut line = Vec::new();
        let read = self.stdout.read_until(b'\n', &mut line).await?;
        Ok((read > 0).then(|| String::from_utf8_lossy(&line).into_owned()))
    }
}
