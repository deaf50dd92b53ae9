//! A description that is spread over several files, put together into one document.
//!
//! Nothing is fetched here: [`Assembly::wanted`] names the next part, and whoever may read it answers with
//! [`Assembly::add`]. The result is one JSON document with the parts below [`PARTS`] and every reference leading there,
//! so that whatever stores, reads and compares documents knows of one form alone.
//!
//! A document says where its parts are, and nobody should believe it: a local one gets files below its own folder, one
//! from the web gets what its own origin serves (RFC 6454), and both only so many.

use std::collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry};

use serde_json::{Value, json};
use url::Url;

use super::{
    SpecError, load, references,
    wellformed::{Fault, pointer},
};

/// The member of the assembled document that holds its parts, by name.
pub(super) const PARTS: &str = "x-drogue-parts";
/// The member that lists what could not be read.
pub(super) const UNREAD: &str = "x-drogue-unread";
/// How many parts one document may have: the largest known (Microsoft Graph and Azure split by resource) stay below.
const MAX_PARTS: usize = 1_000;
/// What all parts may hold together, as much as one document.
const MAX_BYTES: usize = 64 << 20;
/// Stands for the folder of a local document, so that what climbs out of it is seen.
const FOLDER: &str = "file:///folder-of-the-document/";

/// Where a part is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A file, by its path below the folder of the document.
    File(String),
    /// An address of the same origin as the document's.
    Address(Url),
}

/// A description being put together.
#[derive(Debug)]
pub struct Assembly {
    document: Url,
    parts: BTreeMap<Url, Value>,
    asked: BTreeSet<Url>,
    queue: VecDeque<Url>,
    /// What is not read, with the reason.
    unread: BTreeMap<String, String>,
    bytes: usize,
}

impl Assembly {
    /// Begins with the document itself; `None` where all of it is there, or it is of a form that has no parts.
    ///
    /// `name` is the address, where it came from the web, and a file name otherwise.
    #[must_use]
    pub fn begin(name: &str, content_type: Option<&str>, bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MAX_BYTES || !leads_elsewhere(bytes) {
            return None;
        }
        let root = load::data(name, content_type, bytes)?.ok()?;
        if !root.is_object() || root.get(PARTS).is_some() {
            return None;
        }
        let web = Url::parse(name).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let document = match web {
            Some(url) => url,
            None => {
                let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
                let mut url = Url::parse(FOLDER).ok()?;
                url.path_segments_mut().ok()?.pop_if_empty().push(file);
                url
            }
        };
        let mut assembly = Self {
            asked: BTreeSet::from([document.clone()]),
            parts: BTreeMap::new(),
            queue: VecDeque::new(),
            unread: BTreeMap::new(),
            bytes: bytes.len(),
            document: document.clone(),
        };
        assembly.keep(document, root);
        Some(assembly)
    }

    /// The next part that is needed; `None` when all are there.
    pub fn wanted(&mut self) -> Option<Part> {
        let url = self.queue.front()?;
        Some(if self.is_local() { Part::File(local_path(url)?) } else { Part::Address(url.clone()) })
    }

    /// Answers [`Assembly::wanted`]: the bytes of the part, or why there are none.
    pub fn add(&mut self, part: Result<&[u8], String>) {
        let Some(url) = self.queue.pop_front() else { return };
        let name = self.name_of(&url);
        let read = part.and_then(|bytes| {
            self.bytes = self.bytes.saturating_add(bytes.len());
            if self.bytes > MAX_BYTES {
                return Err(format!("all parts together have more than {MAX_BYTES} bytes"));
            }
            match load::data(&name, None, bytes) {
                Some(Ok(value)) => Ok(value),
                Some(Err(SpecError::Broken { line, why, .. })) => {
                    Err(format!("it is broken at line {line}: {why}"))
                }
                Some(Err(error)) => Err(error.to_string()),
                None => Err("it is neither JSON nor YAML".to_owned()),
            }
        });
        match read {
            Ok(value) => self.keep(url, value),
            Err(why) => {
                self.unread.insert(name, why);
            }
        }
    }

    /// The whole document, as JSON.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        let names: BTreeMap<Url, BTreeMap<String, String>> =
            self.parts.iter().map(|(url, part)| (url.clone(), references::names(part))).collect();
        let mounts: BTreeMap<Url, String> = self
            .parts
            .keys()
            .map(|url| {
                let mount = if *url == self.document {
                    String::new()
                } else {
                    format!("/{PARTS}/{}", references::escaped(&self.name_of(url)))
                };
                (url.clone(), mount)
            })
            .collect();
        for (url, part) in &mut self.parts {
            references::each_mut(part, &mut |reference, resource| {
                if let Some(target) = target(url, resource, reference, &mounts, &names) {
                    *reference = target;
                }
            });
        }
        let mut root = self.parts.remove(&self.document).unwrap_or(Value::Null);
        let others: serde_json::Map<String, Value> = std::mem::take(&mut self.parts)
            .into_iter()
            .map(|(url, part)| (self.name_of(&url), part))
            .collect();
        if let Value::Object(object) = &mut root {
            object.insert(PARTS.to_owned(), Value::Object(others));
            if !self.unread.is_empty() {
                let told =
                    self.unread.iter().map(|(name, why)| json!(format!("`{name}` is not read: {why}")));
                object.insert(UNREAD.to_owned(), Value::Array(told.collect()));
            }
        }
        serde_json::to_vec(&root).unwrap_or_default()
    }

    fn is_local(&self) -> bool {
        self.document.scheme() == "file"
    }

    /// What a part is called: its path below the document's folder, or its address.
    fn name_of(&self, url: &Url) -> String {
        if self.is_local() {
            return local_path(url).unwrap_or_else(|| url.to_string());
        }
        self.document.make_relative(url).unwrap_or_else(|| url.to_string())
    }

    /// Takes a part in, and asks for what it refers to.
    fn keep(&mut self, url: Url, part: Value) {
        let own = references::names(&part);
        let mut elsewhere: Vec<String> = Vec::new();
        references::each(&part, &mut |reference| {
            let place = reference.split('#').next().unwrap_or_default();
            // A name that the document gives to a part of itself is no place.
            if !place.is_empty() && !own.contains_key(place) {
                elsewhere.push(place.to_owned());
            }
        });
        elsewhere.sort();
        elsewhere.dedup();
        for place in elsewhere {
            match url.join(&place) {
                Err(why) => drop(self.unread.insert(place, why.to_string())),
                Ok(mut target) => {
                    target.set_fragment(None);
                    if let Err(why) = self.may_read(&target) {
                        self.unread.insert(place, why);
                    } else if self.asked.len() > MAX_PARTS {
                        self.unread.insert(place, format!("there are more than {MAX_PARTS} parts"));
                    } else if self.asked.insert(target.clone()) {
                        self.queue.push_back(target);
                    }
                }
            }
        }
        self.parts.insert(url, part);
    }

    fn may_read(&self, target: &Url) -> Result<(), String> {
        if self.is_local() {
            return match target.scheme() {
                "file" if local_path(target).is_some() => Ok(()),
                "file" => Err("it is outside of the document's folder".to_owned()),
                _ => Err("a file gets parts from its own folder alone, not from the web".to_owned()),
            };
        }
        if target.origin() == self.document.origin() {
            Ok(())
        } else {
            Err(format!(
                "it is elsewhere than the document; only `{}` is asked",
                self.document.origin().ascii_serialization()
            ))
        }
    }
}

/// The pointer in the assembled document that a reference leads to; `None` where it leads to what is not there.
fn target(
    from: &Url,
    resource: &str,
    reference: &str,
    mounts: &BTreeMap<Url, String>,
    names: &BTreeMap<Url, BTreeMap<String, String>>,
) -> Option<String> {
    let (place, fragment) = reference.split_once('#').unwrap_or((reference, ""));
    let (url, resource) = if place.is_empty() {
        (from.clone(), resource.to_owned())
    } else if let Some(pointer) = names.get(from).and_then(|names| names.get(place)) {
        (from.clone(), pointer.clone())
    } else {
        let mut url = from.join(place).ok()?;
        url.set_fragment(None);
        (url, String::new())
    };
    let mount = mounts.get(&url)?;
    if fragment.is_empty() || fragment.starts_with('/') {
        return Some(format!("#{mount}{resource}{fragment}"));
    }
    let pointer = names.get(&url)?.get(&format!("#{fragment}"))?;
    Some(format!("#{mount}{pointer}"))
}

/// The path below the document's folder; `None` outside of it.
fn local_path(url: &Url) -> Option<String> {
    let path = url.as_str().strip_prefix(FOLDER)?.split(['?', '#']).next()?;
    super::api::percent_decoded(path).filter(|path| {
        !path.is_empty() && !path.contains(['\\', '\0']) && !path.split('/').any(|step| step == "..")
    })
}

/// Whether a text has a `$ref` to another document, by a look at its letters.
fn leads_elsewhere(bytes: &[u8]) -> bool {
    memchr::memmem::find_iter(bytes, b"$ref").any(|at| {
        let rest = &bytes[at + 4..];
        let quoted =
            rest.iter().position(|b| !matches!(b, b'"' | b'\'' | b':' | b' ' | b'\t' | b'\r' | b'\n'));
        quoted.is_some_and(|start| !matches!(rest[start], b'#' | b'{' | b'[' | b','))
    })
}

/// What of a document cannot be read, place and reason each: parts that are not at hand, references to nowhere, keys
/// that stand there `twice`, and whatever the standard does not allow where it stands.
pub(super) fn unread(root: &Value, faults: &[Fault], twice: &[Vec<String>]) -> Vec<String> {
    const MOST: usize = 100;
    let parts = root.get(UNREAD).and_then(Value::as_array);
    let parts = parts.into_iter().flatten().filter_map(Value::as_str);
    let mut told: Vec<String> = parts.map(|text| text.chars().take(300).collect()).collect();
    told.extend(
        twice
            .iter()
            .map(|place| format!("`{}` stands there twice, and only the last one is read", pointer(place))),
    );
    // One reference that leads nowhere is told once, with the first place that has it.
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut places: Vec<(String, &Fault)> = Vec::new();
    for fault in faults.iter().filter(|fault| !fault.empty) {
        let key = if fault.why.starts_with('`') { fault.why.clone() } else { fault.pointer() };
        match reasons.entry(key.clone()) {
            Entry::Occupied(mut known) => *known.get_mut() += 1,
            Entry::Vacant(new) => {
                new.insert(0);
                places.push((key, fault));
            }
        }
    }
    told.extend(places.into_iter().map(|(key, fault)| {
        let more = reasons.get(&key).copied().unwrap_or_default();
        let others = match more {
            0 => String::new(),
            1 => " and one more place".to_owned(),
            more => format!(" and {more} more places"),
        };
        if fault.why.starts_with('`') {
            return format!("{}, at `{}`{others}", fault.why, fault.pointer());
        }
        format!("`{}` {}", fault.pointer(), fault.why)
    }));
    let more = told.len().saturating_sub(MOST);
    told.truncate(MOST);
    if more > 0 {
        told.push(format!("{more} more places are not read"));
    }
    told
}
