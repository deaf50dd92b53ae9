//! Looks below a folder for files that `drogue init` may know: connectors and descriptions of APIs. Only reads.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Folders below folders.
const MAX_DEPTH: usize = 8;
/// Names that are looked at, folders included.
const MAX_ENTRIES: usize = 50_000;
/// Files that are read in full.
const MAX_FILES: usize = 500;
/// Descriptions of large APIs have 10 MB.
const MAX_BYTES: u64 = 16_000_000;
/// What tells a kind of file stands near its beginning, or it is not worth reading.
const SNIFF_BYTES: usize = 64_000;
/// Folders of others' files. Hidden ones are left out as well.
const SKIPPED: [&str; 8] =
    ["node_modules", "target", "vendor", "venv", "__pycache__", "dist", "site-packages", "build"];

/// A file that may be of use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Where it is, below the folder that was searched.
    pub path: PathBuf,
    /// What it holds.
    pub text: String,
}

/// What a search came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    /// Files that may be of use, in the order of their paths.
    pub files: Vec<FoundFile>,
    /// Whether the search was cut short by a limit.
    pub cut_short: bool,
}

/// Searches a folder; links are not followed, hidden folders and those of packages are left out.
///
/// # Errors
/// Where the folder itself cannot be read. What cannot be read below it is left out.
pub fn search(dir: &Path) -> std::io::Result<Search> {
    fs::read_dir(dir)?;
    let mut search = Search::default();
    let mut left = MAX_ENTRIES;
    walk(dir, Path::new(""), 0, &mut left, &mut search);
    Ok(search)
}

fn walk(root: &Path, below: &Path, depth: usize, left: &mut usize, search: &mut Search) {
    let Ok(entries) = fs::read_dir(root.join(below)) else { return };
    let mut found: Vec<(std::ffi::OsString, fs::FileType)> = Vec::new();
    for entry in entries.flatten() {
        if *left == 0 {
            search.cut_short = true;
            break;
        }
        *left -= 1;
        if let Ok(kind) = entry.file_type() {
            found.push((entry.file_name(), kind));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, kind) in found {
        let path = below.join(&name);
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            if depth >= MAX_DEPTH {
                search.cut_short = true;
            } else if !SKIPPED.contains(&&*name) {
                walk(root, &path, depth + 1, left, search);
            }
        } else if kind.is_file() && has_known_ending(&name) {
            if search.files.len() >= MAX_FILES {
                search.cut_short = true;
                return;
            }
            if let Some(text) = read_if_known(&root.join(&path)) {
                search.files.push(FoundFile { path, text });
            }
        }
    }
}

fn has_known_ending(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending))
}

/// The text of a file whose beginning says that it may be of use.
fn read_if_known(path: &Path) -> Option<String> {
    let mut file = fs::File::open(path).ok()?.take(MAX_BYTES + 1);
    let mut head = vec![0; SNIFF_BYTES];
    let mut len = 0;
    while len < head.len() {
        match file.read(&mut head[len..]).ok()? {
            0 => break,
            read => len += read,
        }
    }
    head.truncate(len);
    let start = String::from_utf8_lossy(&head);
    let marks = ["DeclarativeSource", "openapi", "swagger", "streams"];
    if !marks.iter().any(|mark| start.contains(mark)) {
        return None;
    }
    let mut bytes = head;
    file.read_to_end(&mut bytes).ok()?;
    if bytes.len() as u64 > MAX_BYTES {
        return None;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_out_what_is_not_the_users() {
        let dir = tempfile::tempdir().unwrap();
        for path in
            ["a/manifest.yaml", ".git/x.yaml", "node_modules/p/openapi.json", "a/notes.txt", "a/other.yaml"]
        {
            let file = dir.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            let text =
                if path.contains("other") { "a: 1\n" } else { "openapi: 3.0.0\ntype: DeclarativeSource\n" };
            fs::write(file, text).unwrap();
        }
        let search = search(dir.path()).unwrap();
        assert_eq!(
            search.files.iter().map(|file| file.path.as_path()).collect::<Vec<_>>(),
            [Path::new("a/manifest.yaml")]
        );
        assert!(!search.cut_short);
    }
}
