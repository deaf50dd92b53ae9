//! The Python that holds the reference programs which the tests run beside ours.

use std::process::Command;

/// The packages that the tests need, at versions that were tried.
const INSTALL: &str = "python3 -m venv target/venv && target/venv/bin/pip install aiosmtpd standardwebhooks && \
                       export DROGUE_TEST_PYTHON=$PWD/target/venv/bin/python3";

/// A command that runs Python: `DROGUE_TEST_PYTHON`, else `python3`.
pub(crate) fn python() -> Command {
    Command::new(std::env::var_os("DROGUE_TEST_PYTHON").unwrap_or_else(|| "python3".into()))
}

/// Fails, with the way to install it, where a package is missing.
pub(crate) fn need_python_package(name: &str) {
    let found = python().args(["-c", &format!("import {name}")]).output();
    assert!(
        found.is_ok_and(|output| output.status.success()),
        "the Python package `{name}` is missing; install it with:\n  {INSTALL}"
    );
}
