//! A real SMTP server: aiosmtpd as a process of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use super::python::{need_python_package, python};

/// How the server is protected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SinkTls {
    None,
    StartTls,
    Implicit,
}

/// A running server; it ends with this value.
pub(crate) struct SmtpSink {
    process: Child,
    folder: TempDir,
    pub(crate) port: u16,
    /// The authority that signed its certificate.
    pub(crate) ca_file: PathBuf,
}

impl SmtpSink {
    /// A server that asks for nothing.
    pub(crate) fn start() -> Self {
        Self::start_with(SinkTls::None, None)
    }

    /// A server with TLS, or that asks for `user:password`.
    pub(crate) fn start_with(tls: SinkTls, auth: Option<&str>) -> Self {
        need_python_package("aiosmtpd");
        let folder = tempfile::tempdir().unwrap();
        let certificate = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (ca_file, key_file) = (folder.path().join("ca.pem"), folder.path().join("key.pem"));
        std::fs::write(&ca_file, certificate.cert.pem()).unwrap();
        std::fs::write(&key_file, certificate.signing_key.serialize_pem()).unwrap();

        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/smtp_sink.py");
        let mut command = python();
        command.arg(script).arg(folder.path());
        if tls != SinkTls::None {
            command.arg("--cert").arg(&ca_file).arg("--key").arg(&key_file);
        }
        if tls == SinkTls::Implicit {
            command.arg("--implicit");
        }
        if let Some(auth) = auth {
            command.args(["--auth", auth]);
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("PORT ").expect("the server says its port").parse().unwrap();
        Self { process, folder, port, ca_file }
    }

    /// The mails it took, in order, as its own parser read them.
    pub(crate) fn mails(&self) -> Vec<Value> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        files.sort();
        files.iter().map(|path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()).collect()
    }

    /// The `MAIL` and `RCPT` commands it was given.
    pub(crate) fn commands(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("commands.log")).unwrap_or_default()
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The value of a header in a mail of [`SmtpSink::mails`].
pub(crate) fn header<'a>(mail: &'a Value, name: &str) -> &'a str {
    mail["headers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|header| header[0].as_str().unwrap().eq_ignore_ascii_case(name))
        .and_then(|header| header[1].as_str())
        .unwrap_or_else(|| panic!("no header {name}"))
}

/// The parts of that type.
pub(crate) fn parts<'a>(mail: &'a Value, content_type: &str) -> Vec<&'a Value> {
    mail["parts"].as_array().unwrap().iter().filter(|part| part["type"] == content_type).collect()
}
