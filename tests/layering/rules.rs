//! Who may import whom, and what only one module may do (sections 3 and 4 of `ARCHITECTURE.md`).

use crate::lexer::{Token, tokens};
use crate::paths::{NamedPath, module_of, paths};

/// Each module with what it may import; `model`, and what is below in the same row, are written out.
pub(crate) const MAY_IMPORT: &[(&str, &[&str])] = &[
    // L0: plain data and seams.
    ("model", &[]),
    // L1: pure.
    ("profile", &["model"]),
    ("spec", &["model"]),
    // Adapters read recorded samples through a mapping, so they know what a sample is.
    ("adapters", &["model", "profile"]),
    ("compare", &["model", "profile", "spec"]),
    ("rules", &["model", "profile", "spec", "compare"]),
    ("diagnose", &["model", "profile", "spec", "compare", "rules"]),
    ("repair", &["model", "profile", "spec", "compare", "rules", "diagnose", "adapters"]),
    // L2a: the doors.
    ("clock", &["model"]),
    ("net", &["model", "clock"]),
    ("proc", &["model"]),
    // L2: the outside world; not each other.
    ("observe", L2_MAY),
    ("store", L2_MAY),
    ("notify", L2_MAY),
    ("apply", L2_MAY),
    // L3: the order of steps.
    ("config", L3_MAY),
    ("engine", ENGINE_MAY),
    // L4: show and ask; decide nothing.
    ("telemetry", L4_MAY),
    ("daemon", L4_MAY),
    ("demo", L4_MAY),
    ("cli", CLI_MAY),
];

const L2_MAY: &[&str] = &[
    "model", "profile", "spec", "adapters", "compare", "rules", "diagnose", "repair", "clock", "net", "proc",
];
const L3_MAY: &[&str] = &[
    "model", "profile", "spec", "adapters", "compare", "rules", "diagnose", "repair", "clock", "net", "proc",
    "observe", "store", "notify", "apply",
];
const ENGINE_MAY: &[&str] = &[
    "model", "profile", "spec", "adapters", "compare", "rules", "diagnose", "repair", "clock", "net", "proc",
    "observe", "store", "notify", "apply", "config",
];
const L4_MAY: &[&str] = &[
    "model", "profile", "spec", "adapters", "compare", "rules", "diagnose", "repair", "clock", "net", "proc",
    "observe", "store", "notify", "apply", "config", "engine",
];
/// The command line starts the other programs of its layer.
const CLI_MAY: &[&str] = &[
    "model",
    "profile",
    "spec",
    "adapters",
    "compare",
    "rules",
    "diagnose",
    "repair",
    "clock",
    "net",
    "proc",
    "observe",
    "store",
    "notify",
    "apply",
    "config",
    "engine",
    "telemetry",
    "daemon",
    "demo",
];

/// Modules that take values and return values: no I/O, no clock, no task, no chance, no order of a hash map.
const PURE: &[&str] = &["model", "profile", "spec", "adapters", "compare", "rules", "diagnose", "repair"];

/// What is done in a file that its module may not do, and why that is right: rule, file, reason. A waiver that nothing
/// needs any more fails.
pub(crate) const WAIVERS: &[(&str, &str, &str)] = &[
    ("mail", "config/check/receiver.rs", "reads addresses as the one who sends to them does; sends nothing"),
    ("writes", "cli/demo.rs", "makes and removes the folder of its own run"),
    ("writes", "cli/init.rs", "writes the config that it was asked for, and never over one that is there"),
    (
        "writes",
        "observe/rotate.rs",
        "puts a rotated refresh token back into the file that the config names for it",
    ),
    ("writes", "store/dialect.rs", "makes its own database file, mode 0600"),
    ("writes", "store/lock.rs", "makes its own lock file"),
];

/// One thing that is where it must not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// Which rule.
    pub(crate) rule: &'static str,
    /// The file, below `src/`.
    pub(crate) file: String,
    /// The line.
    pub(crate) line: usize,
    /// What stands there.
    pub(crate) what: String,
}

/// Everything in a file that is where it must not be, waivers not regarded.
pub(crate) fn violations(file: &str, source: &str) -> Vec<Violation> {
    let module = module_of(file);
    let Some(top) = module.first() else { return Vec::new() };
    let tokens = tokens(source);
    let paths = paths(&tokens, &module);
    let mut found = Vec::new();
    let mut report = |rule, line, what: String| {
        found.push(Violation { rule, file: file.to_owned(), line, what });
    };
    for path in &paths {
        let text = path.names.join("::");
        if let Some(why) = wrong_import(top, path) {
            report("layers", path.line, format!("`{text}`: {why}"));
        }
        for (rule, is_meant, owners) in RULES {
            if !owners.contains(&top.as_str()) && is_meant(path) {
                report(rule, path.line, text.clone());
            }
        }
    }
    for (i, token) in tokens.iter().enumerate() {
        let next = tokens.get(i + 1).map_or("", |token: &Token| token.text.as_str());
        let previous = i.checked_sub(1).map_or("", |i| tokens[i].text.as_str());
        let is_pure = PURE.contains(&top.as_str());
        if is_pure && token.text == "now" && next == "(" && previous != "fn" {
            report("pure", token.line, "now(".to_owned());
        }
        let prints = ["println", "print", "eprintln", "eprint", "dbg"].contains(&token.text.as_str());
        if prints && next == "!" && top != "cli" {
            report("prints", token.line, format!("{}!", token.text));
        }
    }
    found.sort();
    found.dedup();
    found
}

fn wrong_import(top: &str, path: &NamedPath) -> Option<String> {
    if path.names.first().is_none_or(|first| first != "crate") {
        return None;
    }
    let Some(target) = path.names.get(1).filter(|name| *name != "*") else {
        return Some("names the root of the crate, and so hides what it imports".to_owned());
    };
    if target == top {
        return None;
    }
    match MAY_IMPORT.iter().find(|(module, _)| *module == top) {
        None => Some(format!("`{top}` has no row in MAY_IMPORT")),
        Some((_, may)) if may.contains(&target.as_str()) => None,
        Some(_) => Some(format!("`{top}` may not import `{target}`")),
    }
}

/// What only some modules may name: the rule, what it means, and whose it is.
type Rule = (&'static str, fn(&NamedPath) -> bool, &'static [&'static str]);

/// Every module that is not pure.
const IMPURE: &[&str] = &[
    "clock",
    "net",
    "proc",
    "observe",
    "store",
    "notify",
    "apply",
    "config",
    "engine",
    "telemetry",
    "daemon",
    "demo",
    "cli",
];

const RULES: &[Rule] = &[
    ("pure", is_impure, IMPURE),
    ("sql", |path| path.begins_with(&["sqlx"]), &["store"]),
    ("requests", is_request, &["net"]),
    ("mail", |path| path.begins_with(&["lettre"]), &["notify"]),
    ("programs", is_program, &["proc"]),
    // The demo has a folder of its own, and nothing of a user's in it.
    ("writes", is_write, &["apply", "demo"]),
    ("time", is_time, &["clock"]),
    ("prints", |path| path.holds(&["io", "stdout"]) || path.begins_with(&["anstream"]), &["cli"]),
];

impl NamedPath {
    fn begins_with(&self, names: &[&str]) -> bool {
        self.names.len() >= names.len() && self.names.iter().zip(names).all(|(a, b)| a == b)
    }

    fn holds(&self, names: &[&str]) -> bool {
        self.names.windows(names.len()).any(|window| window.iter().zip(names).all(|(a, b)| a == b))
    }
}

fn is_impure(path: &NamedPath) -> bool {
    const CRATES: &[&str] =
        &["tokio", "reqwest", "sqlx", "axum", "lettre", "rustls", "rand", "getrandom", "libc", "tracing"];
    const STD: &[&str] = &["fs", "process", "thread", "env"];
    // An address is plain data; a socket is not.
    const DATA: &[&str] =
        &["IpAddr", "Ipv4Addr", "Ipv6Addr", "SocketAddr", "SocketAddrV4", "SocketAddrV6", "AddrParseError"];
    let is_socket = path.begins_with(&["std", "net"])
        && path.names.get(2).is_none_or(|name| !DATA.contains(&name.as_str()));
    CRATES.iter().any(|name| path.begins_with(&[name]))
        || STD.iter().any(|name| path.begins_with(&["std", name]))
        || is_socket
        // The order of a hash map differs from run to run: BTreeMap, or a sorted Vec.
        || path.names.iter().any(|name| ["HashMap", "HashSet", "Instant", "SystemTime"].contains(&name.as_str()))
}

fn is_request(path: &NamedPath) -> bool {
    let is_socket = (path.begins_with(&["tokio", "net"]) || path.begins_with(&["std", "net"]))
        && path
            .names
            .iter()
            .any(|name| ["TcpStream", "UdpSocket", "UnixStream", "*"].contains(&name.as_str()));
    path.begins_with(&["reqwest"]) || path.begins_with(&["hyper"]) || is_socket
}

fn is_program(path: &NamedPath) -> bool {
    path.begins_with(&["tokio", "process"]) || path.holds(&["process", "Command"])
}

fn is_write(path: &NamedPath) -> bool {
    const CALLS: &[&str] = &[
        "write",
        "rename",
        "copy",
        "create_dir",
        "create_dir_all",
        "remove_file",
        "remove_dir",
        "remove_dir_all",
        "hard_link",
        "set_permissions",
        "symlink",
        "OpenOptions",
        "*",
    ];
    path.names.windows(2).any(|pair| match (pair[0].as_str(), pair[1].as_str()) {
        ("fs", call) => CALLS.contains(&call),
        ("File", call) => ["create", "create_new", "options"].contains(&call),
        ("OpenOptions", _) => true,
        _ => false,
    })
}

fn is_time(path: &NamedPath) -> bool {
    let reads =
        ["Timestamp", "Zoned", "SystemTime", "Instant"].iter().any(|clock| path.holds(&[clock, "now"]));
    let waits = ["sleep", "sleep_until", "interval", "interval_at"]
        .iter()
        .any(|call| path.holds(&["time", call]) || path.holds(&["thread", call]));
    reads || waits
}
