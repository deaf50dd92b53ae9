//! The further files of a description that is spread over several, fetched within limits.
//!
//! A document names its parts, so it must not be believed: a file gets files below its own folder (links resolved),
//! an address gets what its own origin serves, without redirects and through the guard of [`crate::net`].

use std::fs::File;
use std::io::{Error, ErrorKind, Read as _, Result};
use std::path::Path;

use url::Url;

use crate::net::{HttpClient, Redirects, Request};
use crate::spec::{Assembly, Part};

/// Reads a file, and if it is a description with parts in files below its folder, all of them as one document.
/// `limit` counts the bytes of each.
///
/// # Errors
/// Where the file itself cannot be read. A part that cannot is noted in the document, by name and reason.
pub fn read_document_file(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let bytes = read_regular(path, limit)?;
    let Some(mut assembly) = Assembly::begin(&path.to_string_lossy(), None, &bytes) else { return Ok(bytes) };
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize()?;
    while let Some(part) = assembly.wanted() {
        let read = match part {
            Part::File(below) => part_file(&folder, &below, limit).map_err(|error| error.to_string()),
            Part::Address(_) => Err("a file has no parts on the web".to_owned()),
        };
        assembly.add(read.as_deref().map_err(Clone::clone));
    }
    Ok(assembly.finish())
}

fn part_file(folder: &Path, below: &str, limit: u64) -> Result<Vec<u8>> {
    let path = folder.join(below).canonicalize()?;
    // A link may lead anywhere.
    if !path.starts_with(folder) {
        return Err(Error::other("it is outside of the document's folder"));
    }
    read_regular(&path, limit)
}

fn read_regular(path: &Path, limit: u64) -> Result<Vec<u8>> {
    // Asked before it is opened: opening a pipe waits for who writes to it.
    if !std::fs::metadata(path)?.is_file() {
        return Err(Error::other("it is no file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(Error::new(ErrorKind::FileTooLarge, format!("it is over {limit} bytes")));
    }
    Ok(bytes)
}

/// The document at an address together with its parts; `None` where all of it is there already.
pub async fn assemble_from_web(
    url: &Url,
    content_type: Option<&str>,
    bytes: &[u8],
    http: &HttpClient,
) -> Option<Vec<u8>> {
    let mut assembly = Assembly::begin(url.as_str(), content_type, bytes)?;
    while let Some(part) = assembly.wanted() {
        let fetched = match part {
            Part::Address(url) => {
                let request = Request { redirects: Redirects::Never, ..Request::get(url) };
                match http.send(request).await {
                    Ok(response) if matches!(response.status, 200..=299) => Ok(response.body),
                    Ok(response) => Err(format!("status {}", response.status)),
                    Err(failed) => Err(failed.message),
                }
            }
            Part::File(_) => Err("a document on the web has no local parts".to_owned()),
        };
        assembly.add(fetched.as_deref().map_err(Clone::clone));
    }
    Some(assembly.finish())
}
