//! `drogue read-pdf`: the program that takes the text out of one PDF, and may break while it does.

use std::io::{Read as _, Write as _};

use super::output::Exit;
use crate::observe::{PDF_LIMIT_BYTES, PDF_TEXT_FOLLOWS};
use crate::proc::limit_this_program;
use crate::spec::pdf_text;

/// Memory that a PDF may take: what is compressed in it grows a hundredfold.
const MEMORY_BYTES: u64 = 1 << 30;
/// Time on the processor, in seconds.
const CPU_S: u64 = 20;

pub(super) fn run() -> anyhow::Result<Exit> {
    limit_this_program(MEMORY_BYTES, CPU_S)?;
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(PDF_LIMIT_BYTES + 1).read_to_end(&mut bytes)?;
    let text = pdf_text(&bytes).map_err(anyhow::Error::msg)?;
    let mut out = std::io::stdout().lock();
    // The parser prints what it thinks of the file; the text begins after this line.
    writeln!(out, "\n{PDF_TEXT_FOLLOWS}")?;
    out.write_all(text.as_bytes())?;
    Ok(Exit::Clean)
}
