//! Who imports whom, and what only one module may do, held on the sources themselves.
//!
//! The sources are lexed (comments, literals and test code taken out), every path is resolved to the module that it
//! names, and `layering/rules.rs` has the rules, with a waiver and its reason for each exception.

#[path = "layering/lexer.rs"]
mod lexer;
#[path = "layering/paths.rs"]
mod paths;
#[path = "layering/rules.rs"]
mod rules;

use std::path::{Path, PathBuf};

use rules::{MAY_IMPORT, Violation, WAIVERS, violations};

/// Every source below `src/`, by its path there, files of unit tests left out.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder was listed") {
            let path = entry.expect("the entry was listed").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "tests" {
                folders.push(path);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = std::fs::read_to_string(&path).expect("a source is UTF-8");
                let below = path.strip_prefix(&root).expect("it was found there");
                sources.push((below.to_string_lossy().into_owned(), text));
            }
        }
    }
    sources.sort();
    sources
}

fn is_waived(violation: &Violation) -> bool {
    WAIVERS.iter().any(|(rule, file, _)| *rule == violation.rule && *file == violation.file)
}

#[test]
fn every_module_keeps_to_its_layer() {
    let found: Vec<String> = sources()
        .iter()
        .flat_map(|(file, text)| violations(file, text))
        .filter(|violation| !is_waived(violation))
        .map(|v| format!("src/{}:{}: {}: {}", v.file, v.line, v.rule, v.what))
        .collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_module_has_its_row() {
    for (file, _) in sources() {
        let Some(top) = paths::module_of(&file).into_iter().next() else { continue };
        assert!(MAY_IMPORT.iter().any(|(module, _)| *module == top), "src/{file}: add `{top}` to MAY_IMPORT");
    }
    // No circle: what a module may import stands before it.
    for (at, (module, may)) in MAY_IMPORT.iter().enumerate() {
        for target in *may {
            let is_before = MAY_IMPORT[..at].iter().any(|(other, _)| other == target);
            assert!(is_before, "`{module}` may import `{target}`, which does not stand before it");
        }
    }
}

#[test]
fn no_waiver_is_stale() {
    let found: Vec<Violation> = sources().iter().flat_map(|(file, text)| violations(file, text)).collect();
    for (rule, file, reason) in WAIVERS {
        let is_needed = found.iter().any(|v| v.rule == *rule && v.file == *file);
        assert!(is_needed, "nothing in src/{file} needs the waiver of `{rule}` ({reason})");
    }
}

/// Violations that must be caught: rule, file, source.
const PLANTED: &[(&str, &str, &str)] = &[
    ("layers", "model/path.rs", "use crate::profile::Profile;"),
    ("layers", "profile/walk.rs", "use crate::{model::FieldPath, compare::Window};"),
    ("layers", "profile/walk.rs", "use crate::{model::{FieldPath, Facts}, compare::{self as c}};"),
    ("layers", "compare/mod.rs", "fn f() -> crate::rules::Rule { todo!() }"),
    ("layers", "compare/types.rs", "use super::super::rules::Rule;"),
    ("layers", "compare/types.rs", "fn f(x: super::super::diagnose::X) {}"),
    ("layers", "compare/mod.rs", "use super::rules::Rule;"),
    ("layers", "compare/mod.rs", "mod inner { use super::super::store::Store; }"),
    ("layers", "rules/mod.rs", "use r#crate::model; use crate::adapters;"),
    ("layers", "store/mod.rs", "use crate::notify::Message;"),
    ("layers", "notify/route.rs", "pub(crate) use crate::observe::*;"),
    ("layers", "observe/probe.rs", "impl crate::config::Config {}"),
    ("layers", "config/mod.rs", "use crate::engine::Engine;"),
    ("layers", "engine/mod.rs", "use crate::cli::render;"),
    ("layers", "daemon.rs", "use crate::cli;"),
    ("layers", "compare/mod.rs", "use crate::*;"),
    ("layers", "compare/mod.rs", "use crate as drogue;"),
    ("layers", "unheard_of/mod.rs", "use crate::model::Facts;"),
    ("pure", "model/clock.rs", "use tokio::time::Duration;"),
    ("pure", "profile/mod.rs", "fn f() { let _ = std::fs::read(\"x\"); }"),
    ("pure", "profile/mod.rs", "use std::{collections::BTreeMap, fs};"),
    ("pure", "spec/mod.rs", "use std::net::TcpListener;"),
    ("pure", "spec/mod.rs", "use std::net::*;"),
    ("pure", "rules/mod.rs", "fn f() { std::process::exit(1) }"),
    ("pure", "rules/mod.rs", "fn f() { std::thread::spawn(|| ()); }"),
    ("pure", "rules/mod.rs", "fn f() { std::env::var(\"X\"); }"),
    ("pure", "diagnose/mod.rs", "fn f(clock: &dyn Clock) { clock.now(); }"),
    ("pure", "diagnose/mod.rs", "fn f() { let t = jiff::Timestamp::now(); }"),
    ("pure", "repair/mod.rs", "use std::time::Instant;"),
    ("pure", "repair/mod.rs", "use rand::Rng;"),
    ("pure", "adapters/mod.rs", "fn f() { getrandom::fill(&mut []); }"),
    ("pure", "adapters/mod.rs", "use std::collections::{BTreeMap, HashMap};"),
    ("pure", "compare/mod.rs", "type X = std::collections::HashSet<u8>;"),
    ("sql", "engine/mod.rs", "fn f() { sqlx::query(\"SELECT 1\"); }"),
    ("sql", "cli/mod.rs", "use sqlx::Row;"),
    ("requests", "notify/send.rs", "use reqwest::Client;"),
    ("requests", "observe/probe.rs", "use tokio::net::{TcpListener, TcpStream};"),
    ("requests", "engine/mod.rs", "fn f() { std::net::TcpStream::connect(\"x\"); }"),
    ("mail", "engine/mod.rs", "use lettre::Message;"),
    ("programs", "engine/mod.rs", "use std::process::Command;"),
    ("programs", "apply/git.rs", "use tokio::process;"),
    ("layers", "proc/mod.rs", "use crate::net::Client;"),
    ("programs", "apply/git.rs", "use std::process; fn f() { process::Command::new(\"git\"); }"),
    ("writes", "engine/mod.rs", "fn f() { std::fs::write(\"x\", \"y\"); }"),
    ("writes", "engine/mod.rs", "use std::fs; fn f() { fs::rename(\"x\", \"y\"); }"),
    ("writes", "engine/mod.rs", "async fn f() { tokio::fs::write(\"x\", \"y\").await; }"),
    ("writes", "config/mod.rs", "use std::fs::{File, remove_file};"),
    ("writes", "config/mod.rs", "use std::fs::File; fn f() { File::create(\"x\"); }"),
    ("writes", "cli/mod.rs", "use std::fs::OpenOptions;"),
    ("writes", "observe/x.rs", "fn f() { tokio::fs::OpenOptions::new(); }"),
    ("writes", "observe/x.rs", "use std::fs::*;"),
    ("time", "engine/mod.rs", "fn f() { jiff::Timestamp::now(); }"),
    ("time", "engine/mod.rs", "use std::time::SystemTime; fn f() { SystemTime::now(); }"),
    ("time", "notify/mod.rs", "async fn f() { tokio::time::sleep(d).await; }"),
    ("time", "notify/mod.rs", "use tokio::time::{self, interval};"),
    ("prints", "engine/mod.rs", "fn f() { println!(\"x\"); }"),
    ("prints", "main.rs/x.rs", "fn f() { eprint!(\"x\"); }"),
    ("prints", "store/mod.rs", "fn f() { std::io::stdout(); }"),
    ("prints", "model/mod.rs", "fn f() { dbg!(1); }"),
];

#[test]
fn planted_violations_are_caught() {
    for (rule, file, source) in PLANTED {
        let found = violations(file, source);
        assert!(found.iter().any(|v| v.rule == *rule), "{rule}: {file}: {source}: {found:?}");
    }
}

/// Sources that look like violations and are none.
const INNOCENT: &[(&str, &str)] = &[
    ("model/mod.rs", "// use crate::store::Store;\n/* println!(); /* nested */ std::fs::write */"),
    ("model/mod.rs", "/// `crate::engine` calls [`crate::store`].\nfn f() {}"),
    (
        "model/mod.rs",
        "const X: &str = \"use sqlx; \\\" println!()\"; const Y: &str = r#\"std::fs::write(\"x\")\"#;",
    ),
    (
        "model/mod.rs",
        "const X: &[u8] = b\"tokio::net\"; const Y: char = '\"'; const Z: char = '\\''; fn f<'sqlx>() {}",
    ),
    (
        "profile/mod.rs",
        "#[cfg(test)]\nmod tests { use std::fs; use crate::engine::Engine; fn f() { println!(\"{}\", 1) } }",
    ),
    ("profile/mod.rs", "#[cfg(test)] use std::collections::HashMap; fn f() {}"),
    ("profile/mod.rs", "#[test] fn f() { let x = [1; 2]; std::fs::read(\"x\"); }"),
    ("profile/formats.rs", "use std::net::{IpAddr, Ipv4Addr};"),
    ("model/clock.rs", "trait Clock { fn now(&self) -> Timestamp; }"),
    (
        "compare/types.rs",
        "use super::Window; use self::inner::X; use crate::compare::pairs; use crate::spec::ApiModel;",
    ),
    ("compare/mod.rs", "mod inner { use super::Window; use super::super::profile::Profile; }"),
    ("compare/mod.rs", "pub(crate) fn f() {} pub(super) struct X; pub(in crate::compare) mod y {}"),
    ("store/sql.rs", "use sqlx::Row; fn f() { super::lock(); }"),
    ("net/client.rs", "use reqwest::Client; async fn f() { tokio::time::timeout(d, x).await; }"),
    (
        "engine/mod.rs",
        "fn f() { self.clock.now(); let text = std::fs::read_to_string(path); writeln!(text, \"x\"); }",
    ),
    (
        "engine/mod.rs",
        "fn f(file: &mut File) { file.write(b\"x\"); store.rename(a, b); std::process::id(); }",
    ),
    ("cli/mod.rs", "fn f() { println!(\"x\"); anstream::println!(\"x\"); }"),
    ("apply/mod.rs", "fn f() { std::fs::rename(a, b); std::fs::File::create_new(c); }"),
    ("proc/mod.rs", "use std::process::Stdio; use tokio::process::Command;"),
    ("lib.rs", "pub mod store;"),
    ("main.rs", "fn main() { drogue::cli::run() }"),
];

#[test]
fn innocent_sources_are_let_through() {
    for (file, source) in INNOCENT {
        assert_eq!(violations(file, source), [], "{file}: {source}");
    }
}
