//! Dates and times: whether a string is one, in which notation, and which instant it tells.

use super::Format;

/// A day and a time of day, as written.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Moment {
    year: i64,
    month: u32,
    day: u32,
    /// Seconds since midnight.
    second: f64,
    /// How far local time is ahead of UTC.
    offset_seconds: i32,
}

impl Moment {
    const fn midnight(year: i64, month: u32, day: u32) -> Option<Self> {
        if is_day(year, month, day) {
            Some(Self { year, month, day, second: 0.0, offset_seconds: 0 })
        } else {
            None
        }
    }

    fn unix_seconds(self) -> f64 {
        days_since_1970(self.year, self.month, self.day) as f64 * 86_400.0 + self.second
            - f64::from(self.offset_seconds)
    }
}

const fn is_day(year: i64, month: u32, day: u32) -> bool {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    day >= 1 && day <= days
}

/// Days from civil, after Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
const fn days_since_1970(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month = month as i64;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day as i64 - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The value of digits alone; `None` where there is anything else, nothing, or too much.
#[inline]
fn digits(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter().try_fold(0, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 { Some(value * 10 + u32::from(digit)) } else { None }
    })
}

/// What stands behind the day in an ISO 8601 date and time.
struct Clock {
    second: f64,
    fraction: bool,
    zone: Zone,
}

#[derive(PartialEq)]
enum Zone {
    None,
    Utc,
    Offset(i32),
}

/// `HH:MM[:SS[.fraction]]` with what follows it.
#[inline]
fn time_of_day(text: &[u8]) -> Option<(f64, bool, &[u8])> {
    if text.len() < 5 || text[2] != b':' {
        return None;
    }
    let (hour, minute) = (digits(&text[..2])?, digits(&text[3..5])?);
    if hour > 23 || minute > 59 {
        return None;
    }
    let mut second = f64::from(hour * 3600 + minute * 60);
    let mut rest = &text[5..];
    let mut fraction = false;
    if let [b':', tens, ones, after @ ..] = rest {
        let seconds = digits(&[*tens, *ones])?;
        // A leap second is written as 60.
        if seconds > 60 {
            return None;
        }
        second += f64::from(seconds);
        rest = after;
        if let [b'.' | b',', after @ ..] = rest {
            let len = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if len == 0 {
                return None;
            }
            let shown = len.min(9);
            second += f64::from(digits(&after[..shown])?) / 10_f64.powi(shown as i32);
            fraction = true;
            rest = &after[len..];
        }
    }
    Some((second, fraction, rest))
}

/// `Z`, `+02:00`, `-0500`, `+02`, ` UTC` or nothing.
fn zone(text: &[u8]) -> Option<Zone> {
    let (sign, hour, minute) = match text {
        [] => return Some(Zone::None),
        b"Z" | b"z" | b" UTC" | b" GMT" | b" Z" => return Some(Zone::Utc),
        [b' ', sign, h1, h2, m1, m2] | [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => {
            (sign, digits(&[*h1, *h2])?, digits(&[*m1, *m2])?)
        }
        [sign, h1, h2] => (sign, digits(&[*h1, *h2])?, 0),
        _ => return None,
    };
    let seconds = i32::try_from(hour * 3600 + minute * 60).ok().filter(|_| hour <= 18 && minute <= 59)?;
    match sign {
        b'+' => Some(Zone::Offset(seconds)),
        b'-' => Some(Zone::Offset(-seconds)),
        _ => None,
    }
}

/// `YYYY-MM-DD` with what follows it.
#[inline]
fn iso_day(text: &[u8]) -> Option<(Moment, &[u8])> {
    if text.len() < 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&text[..4])?, digits(&text[5..7])?, digits(&text[8..10])?);
    Some((Moment::midnight(i64::from(year), month, day)?, &text[10..]))
}

fn iso_clock(text: &[u8]) -> Option<Clock> {
    let (second, fraction, rest) = time_of_day(text)?;
    Some(Clock { second, fraction, zone: zone(rest)? })
}

/// The class of an ISO 8601 date, with or without a time, and its instant.
#[inline]
pub(super) fn iso(text: &str) -> Option<(Format, f64)> {
    let (mut moment, rest) = iso_day(text.as_bytes())?;
    let (separator, clock) = match rest {
        [] => return Some((Format::Date, moment.unix_seconds())),
        [separator @ (b'T' | b't' | b' '), clock @ ..] => (separator, iso_clock(clock)?),
        _ => return None,
    };
    moment.second = clock.second;
    let format = match (separator, clock.zone) {
        (_, Zone::Offset(offset)) => {
            moment.offset_seconds = offset;
            if *separator == b' ' { Format::DateTimeSpace } else { Format::DateTimeOffset }
        }
        (b' ', _) => Format::DateTimeSpace,
        (_, Zone::None) => Format::DateTimeLocal,
        (_, Zone::Utc) if clock.fraction => Format::DateTimeFractionZ,
        (_, Zone::Utc) => Format::DateTimeZ,
    };
    Some((format, moment.unix_seconds()))
}

/// The class of a time of day alone.
pub(super) fn time(text: &str) -> Option<Format> {
    match time_of_day(text.as_bytes())? {
        (_, _, []) => Some(Format::Time),
        _ => None,
    }
}

/// `YYYYMMDD` of the years 1900 to 2100.
pub(super) fn compact(text: &str) -> Option<Format> {
    compact_day(text.as_bytes()).map(|_| Format::DateOther)
}

fn compact_day(text: &[u8]) -> Option<Moment> {
    if text.len() != 8 {
        return None;
    }
    let (year, month, day) = (digits(&text[..4])?, digits(&text[4..6])?, digits(&text[6..])?);
    if (1900..=2100).contains(&year) { Moment::midnight(i64::from(year), month, day) } else { None }
}

/// The readings of a day in numbers with `/`, `.` or `-` between (`31/03/2020`, `2020.3.1`), and what follows it.
fn numeric_day(text: &[u8]) -> Option<([Option<Moment>; 2], &[u8])> {
    let is_separator = |byte: &u8| matches!(byte, b'/' | b'.' | b'-');
    let first_len = text.iter().position(is_separator)?;
    let separator = text[first_len];
    let rest = &text[first_len + 1..];
    let second_len = rest.iter().position(is_separator)?;
    if rest[second_len] != separator {
        return None;
    }
    let (first, second, rest) =
        (digits(&text[..first_len])?, digits(&rest[..second_len])?, &rest[second_len + 1..]);
    let third_len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (third, rest) = (digits(&rest[..third_len])?, &rest[third_len..]);
    let readings = match (first_len, second_len, third_len) {
        (4, 1..=2, 1..=2) => [Moment::midnight(i64::from(first), second, third), None],
        (1..=2, 1..=2, 4) => {
            let year = i64::from(third);
            let day_first = Moment::midnight(year, second, first);
            // With points, the day comes first wherever such dates are written.
            let month_first = if separator == b'.' { None } else { Moment::midnight(year, first, second) };
            [day_first, month_first]
        }
        _ => return None,
    };
    if readings == [None, None] { None } else { Some((readings, rest)) }
}

/// The class of a day in numbers, perhaps with a time.
pub(super) fn numeric(text: &str) -> Option<Format> {
    let (_, rest) = numeric_day(text.as_bytes())?;
    after_day(rest).map(|_| Format::DateOther)
}

/// Nothing, or a time behind a space or `T`; in seconds, with the offset.
fn after_day(rest: &[u8]) -> Option<(f64, i32)> {
    let clock = match rest {
        [] => return Some((0.0, 0)),
        [b' ' | b'T', clock @ ..] => clock,
        _ => return None,
    };
    let (mut second, _, rest) = time_of_day(clock)?;
    let offset = match rest {
        b" AM" | b" am" | b"AM" | b"am" => {
            if second >= 43_200.0 {
                second -= 43_200.0;
            }
            0
        }
        b" PM" | b" pm" | b"PM" | b"pm" => {
            if second < 43_200.0 {
                second += 43_200.0;
            }
            0
        }
        rest => match zone(rest)? {
            Zone::None | Zone::Utc => 0,
            Zone::Offset(offset) => offset,
        },
    };
    Some((second, offset))
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The place in a list of a name or of its first three letters.
fn named(word: &str, names: &[&str]) -> Option<usize> {
    let same = |name: &&str| name.eq_ignore_ascii_case(word) || name[..3].eq_ignore_ascii_case(word);
    names.iter().position(same)
}

/// A date with the month in letters, its time where it has one.
fn spelled_moment(text: &str) -> Option<(Moment, bool)> {
    if text.len() > 48 {
        return None;
    }
    let mut words = text.split([' ', ',', '-']).filter(|word| !word.is_empty()).peekable();
    if words.peek().is_some_and(|word| named(word, &WEEKDAYS).is_some()) {
        words.next();
    }
    let (first, second) = (words.next()?, words.next()?);
    let (day, month) = match named(first, &MONTHS) {
        Some(month) => (second, month),
        None => (first, named(second, &MONTHS)?),
    };
    let (day, year) = (digits(day.as_bytes())?, words.next()?);
    if year.len() != 4 {
        return None;
    }
    let mut moment = Moment::midnight(i64::from(digits(year.as_bytes())?), month as u32 + 1, day)?;
    let Some(clock) = words.next() else {
        return Some((moment, false));
    };
    let (second, _, rest) = time_of_day(clock.as_bytes())?;
    if !rest.is_empty() {
        return None;
    }
    moment.second = second;
    // The sign of a zone may have been taken for a separator, so the zone is looked for at the end of the text.
    if let Some(word) = words.next() {
        let is_zone = matches!(word, "GMT" | "UTC" | "UT" | "Z");
        if !is_zone {
            let tail = text.len().checked_sub(5).and_then(|at| text.as_bytes().get(at..))?;
            let Some(Zone::Offset(offset)) = zone(tail) else { return None };
            moment.offset_seconds = offset;
        }
    }
    if words.next().is_some() { None } else { Some((moment, true)) }
}

/// The class of a date with the month in letters.
pub(super) fn spelled(text: &str) -> Option<Format> {
    let (_, has_time) = spelled_moment(text)?;
    Some(if has_time { Format::DateRfc2822 } else { Format::DateOther })
}

/// `P1Y2M3W4DT5H6M7.8S`, each part optional but one.
pub(super) fn duration(text: &str) -> Option<Format> {
    let mut rest = text.strip_prefix(['P', 'p'])?;
    let (mut parts, mut in_time) = (0, false);
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix(['T', 't']) {
            if in_time || time.is_empty() {
                return None;
            }
            (rest, in_time) = (time, true);
            continue;
        }
        let len = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',')?;
        let unit = rest.as_bytes()[len].to_ascii_uppercase();
        let fits = if in_time { b"HMS".contains(&unit) } else { b"YMWD".contains(&unit) };
        if len == 0 || !fits {
            return None;
        }
        parts += 1;
        rest = &rest[len + 1..];
    }
    (parts > 0).then_some(Format::Duration)
}

/// The instant that a date in any notation tells, in Unix seconds; `None` where day and month may be either.
pub(super) fn instant(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    if let Some((_, instant)) = iso(text) {
        return Some(instant);
    }
    if let Some(moment) = compact_day(bytes) {
        return Some(moment.unix_seconds());
    }
    if let Some((readings, rest)) = numeric_day(bytes) {
        let (second, offset_seconds) = after_day(rest)?;
        let moment = match readings {
            [Some(one), Some(other)] if one != other => return None,
            [one, other] => one.or(other)?,
        };
        return Some(Moment { second, offset_seconds, ..moment }.unix_seconds());
    }
    spelled_moment(text).map(|(moment, _)| moment.unix_seconds())
}
