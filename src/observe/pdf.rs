//! PDFs: their text, taken out by a program of its own that may break without harm.

use std::time::Duration;

use crate::proc;

/// The line after which `drogue read-pdf` prints the text.
pub const PDF_TEXT_FOLLOWS: &str = "--- drogue: the text of the PDF follows ---";
/// The largest PDF that is read.
pub const PDF_LIMIT_BYTES: u64 = 64 << 20;
/// How long reading one may take, on a busy machine.
const TIME: Duration = Duration::from_secs(60);

/// Whether a document is a PDF.
#[must_use]
pub fn is_pdf(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"%PDF-")
}

/// Why there is no text, without the program that tried: whoever asked knows nothing of it.
fn why(failed: &proc::ProcError) -> String {
    match failed {
        proc::ProcError::Failed { said, .. } if !said.trim().is_empty() => {
            said.trim().trim_start_matches("error: ").to_owned()
        }
        proc::ProcError::Failed { .. } => {
            "its parser broke, or it needs more memory or time than one may take".to_owned()
        }
        proc::ProcError::Timeout { limit, .. } => format!("it took more than {} s", limit.as_secs()),
        proc::ProcError::Start { .. } | proc::ProcError::Read { .. } => failed.to_string(),
    }
}

/// The text of a PDF.
///
/// # Errors
/// Why there is none: too large, broken, without text, or over the limits of time and memory.
pub async fn text_of_pdf(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    if bytes.len() as u64 > PDF_LIMIT_BYTES {
        return Err(format!("the PDF has more than {PDF_LIMIT_BYTES} bytes"));
    }
    let program = std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let printed = proc::run_with_input(&program, &["read-pdf".into()], bytes, TIME)
        .await
        .map_err(|failed| format!("the PDF cannot be read: {}", why(&failed)))?;
    let mark = PDF_TEXT_FOLLOWS.as_bytes();
    let Some(at) = memchr::memmem::find(&printed, mark) else {
        return Err(format!(
            "the PDF cannot be read: `{}` is another program than drogue",
            program.display()
        ));
    };
    Ok(printed[at + mark.len()..].trim_ascii_start().to_vec())
}
