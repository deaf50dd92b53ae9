//! Reads the archives that the binary carries: `.tar.gz` as `tar --format=ustar` writes them.

use std::{collections::BTreeMap, io::Read as _};

use flate2::read::GzDecoder;

/// Decompressed; the embedded ones have about 2 MB.
const MAX_ARCHIVE: u64 = 64 << 20;
const BLOCK: usize = 512;

/// The regular files of an archive by name; `None` where it is none.
pub(super) fn unpack(archive: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut tar = Vec::new();
    GzDecoder::new(archive).take(MAX_ARCHIVE).read_to_end(&mut tar).ok()?;
    let mut files = BTreeMap::new();
    let mut rest = tar.as_slice();
    // Two blocks of zeros end an archive; so does its end.
    while let Some((head, after)) = rest.split_at_checked(BLOCK).filter(|(head, _)| head[0] != 0) {
        let name = head[..100].split(|&byte| byte == 0).next()?;
        let size = std::str::from_utf8(&head[124..135]).ok()?;
        let size = usize::from_str_radix(size.trim_matches([' ', '\0']), 8).ok()?;
        let content = after.get(..size)?;
        // `0` is a regular file.
        if matches!(head[156], b'0' | 0) {
            files.insert(String::from_utf8(name.to_vec()).ok()?, content.to_vec());
        }
        rest = after.get(size.next_multiple_of(BLOCK)..)?;
    }
    Some(files)
}
