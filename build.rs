//! Tells cargo to build again when a rule file is added or removed; `include_dir` alone only sees edits.

fn main() {
    println!("cargo::rerun-if-changed=rules");
}
