//! A real PostgreSQL server of the test binary's own: started once, on a socket in a temporary folder, gone with the
//! process however that ends.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use drogue::model::Secret;

/// Starts the server and waits for the end of its standard input, which is the end of the test process, even by
/// `kill -9`; then stops the server and removes its folder. `fsync` is off: nothing here has to survive a power cut.
const SCRIPT: &str = r#"
set -u
dir=$1 bin=$2
finish() { "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1; rm -rf "$dir"; }
trap finish EXIT
trap 'exit 1' INT TERM HUP
init() { "$bin/initdb" -D "$dir/data" -U drogue -A trust -E UTF8 --no-sync "$@" >"$dir/initdb.log" 2>&1; }
# A linguistic collation, as real servers have: the order of text must not matter to us.
init --locale=C --locale-provider=icu --icu-locale=en || { rm -rf "$dir/data"; init --locale=C; } || { cat "$dir/initdb.log"; exit 1; }
"$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -t 60 -o "-c listen_addresses='' -c unix_socket_directories='$dir' -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c max_connections=400 -c shared_buffers=32MB" start >"$dir/start.log" 2>&1 || { cat "$dir/start.log" "$dir/server.log"; exit 1; }
echo ready
cat >/dev/null
"#;

struct Server {
    socket_dir: PathBuf,
    /// Held until the process ends: its end is what stops the server.
    _stdin: ChildStdin,
    _child: Child,
}

/// Why there is no server, or it.
static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();

/// A fresh, empty database; the reason where there is no PostgreSQL.
pub(super) fn fresh_database() -> Result<Secret, String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let server = SERVER.get_or_init(start).as_ref().map_err(Clone::clone)?;
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let created = Command::new("psql")
        .args(["-X", "-q", "-U", "drogue", "-d", "postgres", "-h"])
        .arg(&server.socket_dir)
        .args(["-c", &format!("CREATE DATABASE {name} TEMPLATE template0")])
        .output()
        .map_err(|error| format!("cannot run psql: {error}"))?;
    if !created.status.success() {
        return Err(String::from_utf8_lossy(&created.stderr).into_owned());
    }
    let host = server.socket_dir.display().to_string().replace('/', "%2F");
    Ok(Secret::new(format!("postgres://drogue@{host}/{name}")))
}

fn start() -> Result<Server, String> {
    let bin = binaries().ok_or(
        "PostgreSQL is not installed: `apt-get install postgresql`, or set DROGUE_TEST_SKIP_POSTGRES=1 to test on SQLite alone",
    )?;
    let dir = tempfile::Builder::new().prefix("drogue-pg-").tempdir().map_err(|e| e.to_string())?.keep();
    let mut command = Command::new("sh");
    command.args(["-c", SCRIPT, "sh"]).arg(&dir).arg(&bin);
    command.current_dir(&dir).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    // Of its own process group: a Ctrl-C at the terminal reaches the tests, and their end stops the server.
    command.process_group(0);
    let me = std::fs::metadata("/proc/self").map_err(|e| e.to_string())?.uid();
    if me == 0 {
        // PostgreSQL refuses to run as root.
        let (uid, gid) = other_user();
        chown(&dir, Some(uid), Some(gid)).map_err(|e| e.to_string())?;
        command.uid(uid).gid(gid);
    }
    let mut child = command.spawn().map_err(|error| format!("cannot run sh: {error}"))?;
    let stdin = child.stdin.take().ok_or("no standard input")?;
    let mut said = String::new();
    for line in BufReader::new(child.stdout.take().ok_or("no standard output")?).lines() {
        let line = line.map_err(|e| e.to_string())?;
        if line == "ready" {
            return Ok(Server { socket_dir: dir, _stdin: stdin, _child: child });
        }
        said.push_str(&line);
        said.push('\n');
    }
    Err(format!("PostgreSQL did not start:\n{said}"))
}

/// The folder of `initdb` and `pg_ctl`: Debian keeps them out of the `PATH`.
fn binaries() -> Option<PathBuf> {
    let has_both = |dir: &Path| dir.join("initdb").is_file() && dir.join("pg_ctl").is_file();
    let mut versions: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|dir| has_both(dir))
        .collect();
    versions.sort();
    let on_path = std::env::var_os("PATH")?;
    versions.pop().or_else(|| std::env::split_paths(&on_path).find(|dir| has_both(dir)))
}

/// `postgres`, else `nobody`.
fn other_user() -> (u32, u32) {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let ids_of = |name: &str| {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    ids_of("postgres").or_else(|| ids_of("nobody")).unwrap_or((65_534, 65_534))
}
