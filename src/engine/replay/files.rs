//! The files of a folder as windows: which they are, in which order, and when each was seen.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::super::EngineError;

/// A file of a folder, and when it was seen where its name says so.
pub(super) struct PastWindow {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) at: Option<Timestamp>,
    /// Whether the name tells the time with an offset from UTC.
    has_offset: bool,
}

/// What lies in a folder: windows in their order, and files that are none, each with the reason.
pub(super) struct Folder {
    pub(super) windows: Vec<PastWindow>,
    pub(super) skipped: Vec<(String, &'static str)>,
    /// What a person should know of their order.
    pub(super) notes: Vec<String>,
}

/// Windows beyond this number are not read: a year of hours.
const MAX_WINDOWS: usize = 10_000;
/// A list of the other files is not longer than this, in bytes.
const MAX_LIST: u64 = 16 << 20;

/// The windows of a folder: by the dates in their names where most have one, else by name, with numbers in it as numbers.
///
/// Files of other kinds are none, nor is one that lists the others, nor one without a date among dated ones: nobody could
/// say when it was seen.
pub(super) fn windows_of(dir: &Path) -> Result<Folder, EngineError> {
    let unreadable = |source| EngineError::Read { file: dir.display().to_string(), source };
    let (mut windows, mut skipped) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let extension = path.extension().map(|ext| ext.to_string_lossy().to_ascii_lowercase());
        match extension.as_deref() {
            _ if path.is_dir() => skipped.push((name, "a folder")),
            // Whoever reads a pipe waits for another program.
            _ if !path.is_file() => skipped.push((name, "no file")),
            Some("json" | "jsonl" | "ndjson" | "har") => {
                let read = time_in(&name);
                let (at, has_offset) = read.map_or((None, false), |read| (Some(read.at), read.has_offset));
                windows.push(PastWindow { name, path, at, has_offset });
            }
            _ => skipped.push((name, "not .json, .jsonl, .ndjson or .har")),
        }
        if windows.len() > MAX_WINDOWS {
            return Err(EngineError::Refused(format!(
                "`{}` holds more than {MAX_WINDOWS} windows",
                dir.display()
            )));
        }
    }
    let mut take_out = |windows: &mut Vec<PastWindow>, why, is_one: &dyn Fn(&PastWindow) -> bool| {
        let gone = windows.extract_if(.., |window| is_one(window)).map(|window| (window.name, why));
        skipped.extend(gone);
    };
    let names: Vec<String> = windows.iter().map(|window| window.name.clone()).collect();
    take_out(&mut windows, "a list of the other files", &|window| lists(window, &names));
    let dated = windows.iter().filter(|window| window.at.is_some()).count();
    let mut notes = Vec::new();
    if dated > 0 && dated < windows.len() && dated * 2 <= windows.len() {
        notes.push(format!(
            "{dated} of {} names have a date that is read (2026-03-14, 20260314T0815); all are taken in the order of their \
             names, a day apart",
            windows.len()
        ));
    }
    if dated * 2 > windows.len() {
        take_out(&mut windows, "no date in its name, as the others have", &|window| window.at.is_none());
        let mut apart = windows.iter().filter(|window| window.has_offset);
        if let Some(first) = apart.next() {
            notes.push(format!(
                "{} of {} names have an offset from UTC behind the time, which is taken into account (the first is `{}`)",
                apart.count() + 1,
                windows.len(),
                first.name
            ));
        }
    } else {
        windows.iter_mut().for_each(|window| window.at = None);
    }
    windows.sort_by_cached_key(|window| (window.at, by_number(&window.name), window.name.clone()));
    skipped.sort();
    Ok(Folder { windows, skipped, notes })
}

/// Whether a file is a list of the files beside it: it names half of them or more, each at the end of a text. Of many
/// files a few tell.
fn lists(window: &PastWindow, names: &[String]) -> bool {
    const ENOUGH: usize = 16;
    let others: Vec<&String> = names.iter().filter(|name| **name != window.name).collect();
    let asked: Vec<&String> = others.iter().step_by(others.len().div_ceil(ENOUGH).max(1)).copied().collect();
    let is_small = std::fs::metadata(&window.path).is_ok_and(|meta| meta.len() <= MAX_LIST);
    if asked.len() < 2 || !is_small {
        return false;
    }
    std::fs::read_to_string(&window.path).is_ok_and(|text| {
        let named = asked.iter().filter(|name| text.contains(&format!("{name}\""))).count();
        named * 2 >= asked.len()
    })
}

/// When a name says that its window was seen.
struct TimeRead {
    at: Timestamp,
    has_offset: bool,
}

/// The date in a name, with the time behind it where there is one: `2026-11-03`, `crm-2026-11-03T08:15:30+02:00`,
/// `20261103_0815`. Without an offset it is taken for UTC.
fn time_in(name: &str) -> Option<TimeRead> {
    let digits: Vec<(usize, char)> = name.char_indices().filter(|(_, c)| c.is_ascii_digit()).collect();
    (0..digits.len()).find_map(|from| {
        let number = |at: usize, count: usize| {
            let part = digits.get(from + at..from + at + count)?;
            part.iter().map(|(_, c)| *c).collect::<String>().parse::<i16>().ok()
        };
        // Eight digits with at most a sign between them, and no digit right before them.
        let place = |at: usize| digits.get(from + at).map(|(place, _)| *place);
        let is_close = |at: usize| Some(place(at)? - place(at - 1)? <= 2);
        let is_first = from == 0 || place(0)? - digits[from - 1].0 > 1;
        if !is_first || !(1..8).all(|at| is_close(at) == Some(true)) {
            return None;
        }
        let date = jiff::civil::Date::new(number(0, 4)?, number(4, 2)? as i8, number(6, 2)? as i8).ok()?;
        if !(1990..2100).contains(&date.year()) {
            return None;
        }
        // Hours, minutes and seconds, as far as digits follow closely.
        let part = |at: usize| number(at, 2).filter(|_| (at..at + 2).all(|at| is_close(at) == Some(true)));
        let hour = part(8);
        let minute = hour.and_then(|_| part(10));
        // What is parted otherwise than the minute is from the hour is no second: `T0815-0915`.
        let gap = |at: usize| Some(place(at)? - place(at - 1)?);
        let second = minute.filter(|_| gap(12) == gap(10)).and_then(|_| part(12));
        let time = |part: Option<i16>| part.unwrap_or(0) as i8;
        let day = date.at(0, 0, 0, 0);
        let of_day = day.with().hour(time(hour)).minute(time(minute)).second(time(second)).build();
        let last = [second.map(|_| 13), minute.map(|_| 11), hour.map(|_| 9)].into_iter().flatten().next();
        let behind = last.and_then(place).and_then(|end| name.get(end + 1..)).unwrap_or_default();
        let offset = of_day.as_ref().ok().and_then(|_| offset(behind, second.is_some()));
        let zone = jiff::tz::TimeZone::fixed(offset.unwrap_or(jiff::tz::Offset::UTC));
        let zoned = of_day.unwrap_or(day).to_zoned(zone).ok()?;
        Some(TimeRead { at: zoned.timestamp(), has_offset: offset.is_some() })
    })
}

/// The offset from UTC that follows a time: `+0200`, `-05:30`; none where there is no such text.
///
/// Four digits behind a dash are more often the end of a range of times, or the number of a part: `0815-0915`, `0815-0001`.
/// They are an offset behind a time with seconds alone, as RFC 3339 and ISO 8601 write the two together, and where they
/// are one that exists: all are quarters of an hour.
fn offset(text: &str, behind_seconds: bool) -> Option<jiff::tz::Offset> {
    // A fraction of a second may stand before it.
    let text = match text.strip_prefix(['.', ',']) {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => text,
    };
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let rest = text.get(1..)?;
    let has_colon = rest.get(2..3) == Some(":");
    if sign < 0 && !has_colon && !behind_seconds {
        return None;
    }
    let rest = rest.replacen(':', "", usize::from(has_colon));
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let (hours, minutes) = match digits.len() {
        4 => (digits[..2].parse::<i32>().ok()?, digits[2..].parse::<i32>().ok()?),
        _ => return None,
    };
    (hours < 15 && minutes < 60 && minutes % 15 == 0)
        .then(|| jiff::tz::Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok())?
}

/// A name as words and numbers, so that `2.json` comes before `10.json`.
fn by_number(name: &str) -> Vec<(u128, String)> {
    let mut parts: Vec<(u128, String)> = vec![(0, String::new())];
    let mut in_number = false;
    for c in name.chars() {
        let digit = c.to_digit(10);
        if digit.is_some() != in_number && digit.is_some() {
            parts.push((0, String::new()));
        }
        in_number = digit.is_some();
        if let Some((number, text)) = parts.last_mut() {
            match digit {
                Some(digit) => *number = number.saturating_mul(10).saturating_add(u128::from(digit)),
                None => text.push(c),
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_when() {
        let at = |name: &str| time_in(name).map(|read| read.at.to_string());
        for (name, time) in [
            ("2026-11-03.json", "2026-11-03T00:00:00Z"),
            ("crm_2026-11-03T08:15:00Z.jsonl", "2026-11-03T08:15:00Z"),
            ("20261103_0815.json", "2026-11-03T08:15:00Z"),
            ("2026-11-03T08-15-30.json", "2026-11-03T08:15:30Z"),
            ("2026-11-03T08:15:30.250+02:00.json", "2026-11-03T06:15:30Z"),
            ("20261103T081530-0530-crm.json", "2026-11-03T13:45:30Z"),
            ("20261103T0815+0200.json", "2026-11-03T06:15:00Z"),
            ("20261103T0815-05:30.json", "2026-11-03T13:45:00Z"),
            // A range of times, and the number of a part.
            ("20261103_0815-0915.json", "2026-11-03T08:15:00Z"),
            ("20261103_0815-1359.json", "2026-11-03T08:15:00Z"),
            ("20261104_0815-2000.json", "2026-11-04T08:15:00Z"),
            ("20261103_0815-0001.json", "2026-11-03T08:15:00Z"),
            ("20261103_081530-0001.json", "2026-11-03T08:15:30Z"),
            ("2026-11-03-2.json", "2026-11-03T00:00:00Z"),
            ("v2-2026-11-03.json", "2026-11-03T00:00:00Z"),
        ] {
            assert_eq!(at(name).as_deref(), Some(time), "{name}");
        }
        for name in ["1.json", "20269999.json", "1234567890.json", "a.json", "2026-11.json"] {
            assert_eq!(at(name), None, "{name}");
        }
    }

    #[test]
    fn names_with_numbers_come_in_their_order() {
        let mut names = ["10.json", "9.json", "a2b1.json", "a2b10.json", "a10.json", "a2b9.json"];
        names.sort_by_cached_key(|name| by_number(name));
        assert_eq!(names, ["9.json", "10.json", "a2b1.json", "a2b9.json", "a2b10.json", "a10.json"]);
    }
}
