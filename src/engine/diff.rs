//! `diff`: two files or URLs against each other, records or API descriptions; no config, no store.

mod records;

use std::io::Read as _;
use std::path::Path;

use jiff::civil::Date;

pub(super) use self::records::Located;
use super::{EngineError, lines::LineFile};
use crate::model::{FieldPath, Report};
use crate::net::{HttpClient, Request};
use crate::observe::{self, HttpSettings};
use crate::rules::{ContractEntry, RuleSet, contract_entries, diff_descriptions, diff_read_documents};
use crate::spec::{self, Document};

/// How to read and compare.
#[derive(Debug, Clone, Default)]
pub struct DiffOptions {
    /// Where the records sit, where it is not plain.
    pub records: Option<FieldPath>,
    /// The primary key, where it is not found.
    pub key: Vec<FieldPath>,
    /// Private networks that URLs may reach.
    pub allow_private: Vec<ipnet::IpNet>,
    /// The day on which announced ends have passed or not; without it, none has.
    pub today: Option<Date>,
}

/// What two files or URLs differ in.
#[derive(Debug, Clone)]
pub struct Diff {
    /// What a connector would notice.
    pub report: Report,
    /// Of API descriptions, what the contract promised and no longer promises: one entry a change.
    pub contract: Option<Vec<ContractEntry>>,
}

/// The most that one side may hold.
const MAX_BYTES: u64 = 1_000_000_000;

/// Compares two files or URLs.
///
/// # Errors
/// Where a side cannot be read, or the two are of different kinds.
pub async fn diff(baseline: &str, live: &str, options: &DiffOptions) -> Result<Diff, EngineError> {
    for name in [baseline, live] {
        if Path::new(name).is_dir() {
            return Err(EngineError::Usage(format!(
                "`{name}` is a folder: `drogue replay {name}` runs the windows in it, `diff` compares two files"
            )));
        }
    }
    if baseline == "-" && live == "-" {
        return Err(EngineError::Usage(
            "`-` stands for both sides, and standard input can be read once: name a file for one of them"
                .to_owned(),
        ));
    }
    let rules = RuleSet::builtin();
    if let Some((before, after)) = both_lines(baseline, live, options)? {
        let report = records::compare_lines((baseline, &before), (live, &after), &rules, options);
        for (name, lines) in [(baseline, before), (live, after)] {
            lines.check().map_err(|source| EngineError::Read { file: name.to_owned(), source })?;
        }
        return Ok(Diff { report: report?, contract: None });
    }
    let (before, after) = (fetch(baseline, options).await?, fetch(live, options).await?);
    let (before, after) = (in_words(baseline, before).await?, in_words(live, after).await?);
    for (name, bytes) in [(baseline, &before), (live, &after)] {
        if spec::is_other_xml(bytes) {
            return Err(EngineError::Foreign { file: name.to_owned(), format: "XML" });
        }
    }
    let read = (spec::read_if_document(baseline, &before), spec::read_if_document(live, &after));
    match read {
        (Some(was), Some(is)) => {
            // A description read takes several times the room of its text.
            drop((before, after));
            Ok(compare_documents(&was?, &is?, &rules, options.today))
        }
        (None, None) => {
            let before = records::Named { name: baseline, bytes: before };
            let after = records::Named { name: live, bytes: after };
            let report = records::compare(before, after, &rules, options)?;
            Ok(Diff { report, contract: None })
        }
        // What cannot be read on the other side has a reason of its own, and is told before the two are held together.
        (Some(was), None) => was.map_err(EngineError::from).and(Err(no_document(baseline, live, &after))),
        (None, Some(is)) => is.map_err(EngineError::from).and(Err(no_document(live, baseline, &before))),
    }
}

/// Both sides as files of JSON lines, which need not be held; `None` where one is anything else.
fn both_lines(
    baseline: &str,
    live: &str,
    options: &DiffOptions,
) -> Result<Option<(LineFile, LineFile)>, EngineError> {
    let open = |name: &str| -> Result<Option<LineFile>, EngineError> {
        let path = Path::new(name);
        let is_too_large = std::fs::metadata(path).is_ok_and(|meta| meta.len() > MAX_BYTES);
        if options.records.is_some() || is_too_large {
            return Ok(None);
        }
        let lines =
            LineFile::open(path).map_err(|source| EngineError::Read { file: name.to_owned(), source })?;
        Ok(lines.filter(|lines| !spec::looks_like_document(name, lines.head.as_bytes())))
    };
    let Some(before) = open(baseline)? else { return Ok(None) };
    Ok(open(live)?.map(|after| (before, after)))
}

/// Compares two documents: for a connector, and API descriptions as contracts as well.
///
/// `today` tells whether announced ends have passed; without it, none has.
#[must_use]
pub fn compare_documents(before: &Document, after: &Document, rules: &RuleSet, today: Option<Date>) -> Diff {
    if let (Document::Api(was), Document::Api(is)) = (before, after)
        && let Some((report, findings)) = diff_descriptions(was, is, rules, today)
    {
        return Diff { report, contract: Some(contract_entries(&findings)) };
    }
    Diff { report: diff_read_documents(before, after, rules), contract: None }
}

/// Why what should be a document like the other one is none: it is broken, of a sort that is not read, or records.
fn no_document(document: &str, other: &str, bytes: &[u8]) -> EngineError {
    let begins = bytes.trim_ascii_start().first();
    let are_records =
        begins == Some(&b'[') || std::str::from_utf8(bytes).is_ok_and(|text| records::lines(text).is_some());
    match spec::read(other, None, bytes) {
        Err(unreadable) if !are_records || matches!(unreadable, spec::SpecError::Broken { .. }) => {
            unreadable.into()
        }
        Err(_) | Ok(_) => EngineError::Refused(format!(
            "`{document}` is a document that describes an API and `{other}` holds records: compare two of a kind"
        )),
    }
}

/// A PDF as its text.
async fn in_words(name: &str, bytes: Vec<u8>) -> Result<Vec<u8>, EngineError> {
    if !observe::is_pdf(&bytes) {
        return Ok(bytes);
    }
    observe::text_of_pdf(bytes).await.map_err(|why| EngineError::Refused(format!("`{name}`: {why}")))
}

async fn fetch(place: &str, options: &DiffOptions) -> Result<Vec<u8>, EngineError> {
    if !place.starts_with("http://") && !place.starts_with("https://") {
        // As everywhere, a dash is what comes in.
        let path = Path::new(if place == "-" { "/dev/stdin" } else { place });
        let unreadable = |source| EngineError::Read { file: place.to_owned(), source };
        // What comes through a pipe has no folder that parts could be in.
        if !path.is_file() {
            return read_file(path);
        }
        return observe::read_document_file(path, MAX_BYTES).map_err(unreadable);
    }
    let settings = HttpSettings {
        allow_private: options.allow_private.clone(),
        max_body: crate::model::ByteSize(256_000_000),
        ..HttpSettings::default()
    };
    let unreachable = |why: String| EngineError::Refused(format!("cannot fetch `{place}`: {why}"));
    let client = HttpClient::new(&settings).map_err(|wrong| unreachable(wrong.to_string()))?;
    let url = place.parse().map_err(|_| unreachable("it is no address".to_owned()))?;
    let response = client.send(Request::get(url)).await.map_err(|failed| {
        // There is no config here that could let it.
        unreachable(failed.message.replace("to `http.allow_private`", "with `--allow-private`"))
    })?;
    match response.status {
        200..=299 => {
            let declared = response.headers.get("content-type").and_then(|value| value.to_str().ok());
            let whole = observe::assemble_from_web(&response.url, declared, &response.body, &client).await;
            Ok(whole.unwrap_or(response.body))
        }
        status => Err(unreachable(format!("status {status}"))),
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, EngineError> {
    let unreadable = |source| EngineError::Read { file: path.display().to_string(), source };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(EngineError::Refused(format!("`{}` has more than {MAX_BYTES} bytes", path.display())));
    }
    Ok(bytes)
}
