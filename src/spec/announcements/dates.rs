//! Dates as people write them: a day, a month, a quarter, the end of a year, so many days from now.

use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use jiff::ToSpan as _;
use jiff::civil::Date;
use regex::{Captures, Regex};
use serde::{Deserialize, Serialize};

/// When something happens, as precisely as a text says it: the first and the last day that it may mean.
///
/// Prints as `2026-12-31`, `2026-07-01 to 2026-09-30`, or `2026-03-04 or 2026-04-03` where a text leaves open which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The first day; what is prepared for counts from here.
    pub first: Date,
    /// The last day.
    pub last: Date,
    /// Whether it is one of the two and nothing between: `03/04/2026`.
    pub is_ambiguous: bool,
}

impl Span {
    /// One day.
    #[must_use]
    pub const fn day(day: Date) -> Self {
        Self { first: day, last: day, is_ambiguous: false }
    }

    /// Days from `today` to the first day that may be meant; negative where it is over.
    #[must_use]
    pub fn days_left(&self, today: Date) -> i64 {
        // Two civil dates differ by whole days, so hours divide without a rest.
        self.first.duration_since(today).as_hours() / 24
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { first, last, .. } if first == last => write!(f, "{first}"),
            Self { first, last, is_ambiguous: true } => write!(f, "{first} or {last}"),
            Self { first, last, is_ambiguous: false } => write!(f, "{first} to {last}"),
        }
    }
}

const MONTH: &str = r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?";
/// Vendors announce neither the nineteen-hundreds nor a far future; a number beyond is none of a year.
const YEAR: &str = r"(?P<year>20[0-9]{2})";
const DAY: &str = r"(?P<day>[0-3]?[0-9])(?:st|nd|rd|th)?";
const PART: &str = r"(?:(?P<part>end|close|late|beginning|start|early|first half|second half|middle|mid)[ -](?:of |in )?(?:the )?(?:year )?)?";

/// How a date may be written, and how its parts are read.
struct Notation {
    pattern: Regex,
    read: fn(&Captures<'_>, Option<Date>) -> Option<Span>,
    /// Whether it counts from now on, as "in 90 days" does, and so names no day of the calendar.
    counts: bool,
}

/// How a month is written where no year follows; `may` is a verb, so the month needs its capital.
const LONE_MONTH: &str = r"(?P<month>jan(?:uary)?|feb(?:ruary)?|march|april|(?-i:May)|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
const LONE_PART: &str = r"(?P<part>end|close|late|later|beginning|start|early|middle|mid)[ -](?:of |in )?";

/// The notations, the more specific ones first: what one has read, the next does not read again.
static NOTATIONS: LazyLock<Vec<Notation>> = LazyLock::new(|| {
    type Read = fn(&Captures<'_>, Option<Date>) -> Option<Span>;
    let list: [(String, Read); 18] = [
        (format!(r"\b{YEAR}[-/.](?P<number>[01]?[0-9])[-/.](?P<day>[0-3]?[0-9])(?:T[0-9:.]+(?:Z|[+-][0-9:]+)?)?\b"), day),
        (format!(r"\b{YEAR}(?P<number>0[1-9]|1[0-2])(?P<day>0[1-9]|[12][0-9]|3[01])\b"), day),
        (format!(r"\b{MONTH} {DAY},? (?:of )?{YEAR}\b"), day),
        (format!(r"\b{DAY}[ -](?:of )?{MONTH},?[ -]{YEAR}\b"), day),
        (format!(r"\b(?P<a>[0-3]?[0-9])(?P<sign>[/.-])(?P<b>[0-3]?[0-9])[/.-]{YEAR}\b"), either),
        (format!(r"\b{PART}q(?P<quarter>[1-4])(?: of)?[ /-]?{YEAR}\b"), quarter),
        (format!(r"\b{YEAR}[ /-]?q(?P<quarter>[1-4])\b"), quarter),
        (format!(r"\b(?P<word>first|second|third|fourth|last) quarter (?:of |in )?{YEAR}\b"), quarter),
        (format!(r"\bh(?P<half>[12])(?: of)?[ /-]?{YEAR}\b"), half),
        (format!(r"\b{PART}{MONTH},?(?: of)? {YEAR}\b"), month),
        (format!(r"\b{PART}{YEAR}[-/](?P<number>0[1-9]|1[0-2])(?:$|[^0-9A-Za-z/-])"), month),
        (format!(r"\b(?:{PART}|(?:in|by|during|until|before|from|throughout) (?:the year )?){YEAR}(?:[.,;:)]|$| and\b| or\b)"), year),
        (
            r"\b(?:in|within|after) (?:the next )?(?P<count>[0-9]{1,3}|thirty|sixty|ninety|one|two|three|six|twelve) (?P<unit>day|week|month|year)s?\b"
                .to_owned(),
            relative,
        ),
        (format!(r"\b(?:{MONTH} {DAY}|(?P<before>[0-3]?[0-9])(?:st|nd|rd|th)? (?:of )?(?P<month2>jan(?:uary)?|feb(?:ruary)?|march|april|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?))\b"), without_year),
        (format!(r"\b(?:{LONE_PART})?(?:the )?(?P<which>this|next|coming|following|current) (?:calendar )?(?P<unit>week|month|quarter|year)\b"), of_now),
        (format!(r"\b{LONE_PART}the (?P<unit>week|month|quarter|year)\b"), of_now),
        (r"\b(?:the )?(?P<unit>year|month|quarter)(?:'s|’s)?[ -](?P<part>end)\b".to_owned(), of_now),
        (format!(r"\b(?:{LONE_PART}|(?:in|by|from|until|till|before|during|starting|mid) ){LONE_MONTH}\b"), lone_month),
    ];
    list.into_iter()
        .map(|(pattern, read)| Notation {
            counts: pattern.contains("<count>"),
            pattern: Regex::new(&format!("(?i){pattern}"))
                .expect("the test `notations_are_read` has built it"),
            read,
        })
        .collect()
});

/// The dates of a sentence with their places, in the order of the text; `base` is the day that it was written on, which
/// "in 90 days" and "March 3" count from. Without it those are no dates.
pub(super) fn dates(text: &str, base: Option<Date>) -> Vec<(Range<usize>, Span)> {
    if !text.bytes().any(|b| b.is_ascii_digit()) && base.is_none() {
        return Vec::new();
    }
    read(text, base, |_| true)
}

/// Whether a sentence names a day or a month of the calendar, be it without a year, and so without one that can be told
/// where nobody knows when it was written.
pub(super) fn names_a_day(text: &str) -> bool {
    !read(text, Some(Date::constant(2000, 1, 1)), |notation| !notation.counts).is_empty()
}

fn read(text: &str, base: Option<Date>, is_wanted: fn(&Notation) -> bool) -> Vec<(Range<usize>, Span)> {
    let mut found: Vec<(Range<usize>, Span)> = Vec::new();
    for notation in NOTATIONS.iter().filter(|notation| is_wanted(notation)) {
        for captures in notation.pattern.captures_iter(text) {
            let Some(whole) = captures.get(0) else { continue };
            let overlaps = found.iter().any(|(r, _)| r.start < whole.end() && whole.start() < r.end);
            if !overlaps
                && !names_a_version(&text[..whole.start()])
                && let Some(span) = (notation.read)(&captures, base)
            {
                found.push((whole.range(), span));
            }
        }
    }
    found.sort_by_key(|(range, _)| range.start);
    found
}

/// Whether what stands before says that a date is the name of a version, as in `version 2024-01-15`.
fn names_a_version(before: &str) -> bool {
    let last = before.trim_end_matches([' ', ':', '`', '"', '=']).rsplit([' ', '-', '_', '`', '(']).next();
    last.is_some_and(|word| word.eq_ignore_ascii_case("version") || word.eq_ignore_ascii_case("versions"))
}

fn number<T: std::str::FromStr>(captures: &Captures<'_>, name: &str) -> Option<T> {
    captures.name(name)?.as_str().parse().ok()
}

fn month_of(captures: &Captures<'_>, name: &str) -> Option<i8> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let word = captures.name(name)?.as_str().get(..3)?.to_ascii_lowercase();
    MONTHS.iter().position(|month| *month == word).map(|index| index as i8 + 1)
}

fn day(captures: &Captures<'_>, _: Option<Date>) -> Option<Span> {
    let month = number(captures, "number").or_else(|| month_of(captures, "month"))?;
    Date::new(number(captures, "year")?, month, number(captures, "day")?).ok().map(Span::day)
}

/// `03/04/2026`: the month comes first or the day. With points, as in `3.4.2026`, the day does.
fn either(captures: &Captures<'_>, _: Option<Date>) -> Option<Span> {
    let (a, b): (i8, i8) = (number(captures, "a")?, number(captures, "b")?);
    let year = number(captures, "year")?;
    let day_first = Date::new(year, b, a).ok();
    let month_first =
        Date::new(year, a, b).ok().filter(|_| captures.name("sign").map(|s| s.as_str()) != Some("."));
    match (day_first, month_first) {
        (Some(x), Some(y)) => Some(Span { first: x.min(y), last: x.max(y), is_ambiguous: x != y }),
        (Some(only), None) | (None, Some(only)) => Some(Span::day(only)),
        (None, None) => None,
    }
}

fn months(year: i16, first: i8, last: i8) -> Option<Span> {
    let first = Date::new(year, first, 1).ok()?;
    Some(Span { first, last: Date::new(year, last, 1).ok()?.last_of_month(), is_ambiguous: false })
}

/// The part that is meant: the end is the last day, the beginning the first, early and late are thirds.
fn part_of(captures: &Captures<'_>, whole: Span) -> Option<Span> {
    let Some(part) = captures.name("part") else { return Some(whole) };
    let days = whole.last.duration_since(whole.first).as_hours() / 24;
    let at = |share: i64, of: i64| whole.first.checked_add((days * share / of).days()).ok();
    let between = |first, last| Some(Span { first, last, is_ambiguous: false });
    match part.as_str().to_ascii_lowercase().as_str() {
        "end" | "close" => Some(Span::day(whole.last)),
        "later" => Some(whole),
        "beginning" | "start" => Some(Span::day(whole.first)),
        "early" => between(whole.first, at(1, 3)?),
        "late" => between(at(2, 3)?, whole.last),
        "first half" => between(whole.first, at(1, 2)?),
        "second half" => between(at(1, 2)?, whole.last),
        _ => between(at(1, 3)?, at(2, 3)?),
    }
}

fn month(captures: &Captures<'_>, _: Option<Date>) -> Option<Span> {
    let month = number(captures, "number").or_else(|| month_of(captures, "month"))?;
    part_of(captures, months(number(captures, "year")?, month, month)?)
}

fn quarter(captures: &Captures<'_>, _: Option<Date>) -> Option<Span> {
    let word = captures.name("word").map(|word| word.as_str().to_ascii_lowercase());
    let quarter: i8 = match word.as_deref() {
        Some("first") => 1,
        Some("second") => 2,
        Some("third") => 3,
        Some(_) => 4,
        None => number(captures, "quarter")?,
    };
    part_of(captures, months(number(captures, "year")?, quarter * 3 - 2, quarter * 3)?)
}

fn half(captures: &Captures<'_>, _: Option<Date>) -> Option<Span> {
    let half: i8 = number(captures, "half")?;
    months(number(captures, "year")?, half * 6 - 5, half * 6)
}

fn year(captures: &Captures<'_>, _: Option<Date>) -> Option<Span> {
    let year = number(captures, "year")?;
    // A bare number at the end of a sentence is no date: a word before it says that it is one.
    let whole = captures.get(0)?.as_str();
    if whole.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    part_of(captures, months(year, 1, 12)?)
}

fn relative(captures: &Captures<'_>, base: Option<Date>) -> Option<Span> {
    let count = match captures.name("count")?.as_str().to_ascii_lowercase().as_str() {
        "one" => 1,
        "two" => 2,
        "three" => 3,
        "six" => 6,
        "twelve" => 12,
        "thirty" => 30,
        "sixty" => 60,
        "ninety" => 90,
        digits => digits.parse::<i64>().ok()?,
    };
    let after = match captures.name("unit")?.as_str().to_ascii_lowercase().as_str() {
        "day" => count.days(),
        "week" => count.weeks(),
        "month" => count.months(),
        _ => count.years(),
    };
    base?.checked_add(after).ok().map(Span::day)
}

/// `March 3`: the next one from the day of writing on.
fn without_year(captures: &Captures<'_>, base: Option<Date>) -> Option<Span> {
    let base = base?;
    let month = month_of(captures, "month").or_else(|| month_of(captures, "month2"))?;
    let day = number(captures, "day").or_else(|| number(captures, "before"))?;
    let this = Date::new(base.year(), month, day).ok()?;
    let next = || Date::new(base.year() + 1, month, day).ok();
    if this >= base { Some(Span::day(this)) } else { next().map(Span::day) }
}

/// `next month`, `the end of the year`, `later this year`: of the week, month, quarter or year of the day of writing, or
/// of the one after it.
fn of_now(captures: &Captures<'_>, base: Option<Date>) -> Option<Span> {
    let base = base?;
    let unit = captures.name("unit")?.as_str().to_ascii_lowercase();
    let around = |day: Date| -> Option<Span> {
        let (year, month) = (day.year(), day.month());
        match unit.as_str() {
            "week" => {
                let first = day.checked_sub(i64::from(day.weekday().to_monday_zero_offset()).days()).ok()?;
                Some(Span { first, last: first.checked_add(6.days()).ok()?, is_ambiguous: false })
            }
            "month" => months(year, month, month),
            "quarter" => {
                let first = (month - 1) / 3 * 3 + 1;
                months(year, first, first + 2)
            }
            _ => months(year, 1, 12),
        }
    };
    let this = around(base)?;
    let next = around(this.last.checked_add(1.days()).ok()?)?;
    let which = captures.name("which").map(|which| which.as_str().to_ascii_lowercase());
    if matches!(which.as_deref(), Some("next" | "coming" | "following")) {
        return part_of(captures, next);
    }
    // What is over already is meant of the next one; of this one only the rest is left.
    let meant = part_of(captures, this)?;
    if meant.last < base {
        return part_of(captures, next);
    }
    Some(Span { first: meant.first.max(base), ..meant })
}

/// `in January`: the present one or the next.
fn lone_month(captures: &Captures<'_>, base: Option<Date>) -> Option<Span> {
    let (base, month) = (base?, month_of(captures, "month")?);
    let year = if month >= base.month() { base.year() } else { base.year() + 1 };
    part_of(captures, months(year, month, month)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let base = "2026-04-10".parse().unwrap();
        dates(text, Some(base)).into_iter().map(|(_, span)| span.to_string()).collect()
    }

    #[test]
    fn notations_are_read() {
        for (text, expected) in [
            ("on 2026-12-31.", "2026-12-31"),
            ("at 2026-12-31T00:00:00Z", "2026-12-31"),
            ("on 2026/12/31", "2026-12-31"),
            ("on March 3, 2026", "2026-03-03"),
            ("on Mar. 3rd 2026", "2026-03-03"),
            ("on 3 Mar 2026", "2026-03-03"),
            ("on the 3rd of March 2026", "2026-03-03"),
            ("on 03-Mar-2026", "2026-03-03"),
            ("in Q3 2026", "2026-07-01 to 2026-09-30"),
            ("in 2026 Q3", "2026-07-01 to 2026-09-30"),
            ("end of Q3 2026", "2026-09-30"),
            ("in the third quarter of 2026", "2026-07-01 to 2026-09-30"),
            ("H2 2026", "2026-07-01 to 2026-12-31"),
            ("the end of June 2026", "2026-06-30"),
            ("in June 2026", "2026-06-01 to 2026-06-30"),
            ("early June 2026", "2026-06-01 to 2026-06-10"),
            ("mid-June 2026", "2026-06-10 to 2026-06-20"),
            ("until February 2028.", "2028-02-01 to 2028-02-29"),
            ("by the end of 2026", "2026-12-31"),
            ("by 2027.", "2027-01-01 to 2027-12-31"),
            ("on 03/04/2026", "2026-03-04 or 2026-04-03"),
            ("on 05/05/2026", "2026-05-05"),
            ("on 12/31/2026", "2026-12-31"),
            ("on 31/12/2026", "2026-12-31"),
            ("on 3.4.2026", "2026-04-03"),
            ("in 90 days", "2026-07-09"),
            ("within the next 6 months", "2026-10-10"),
            ("in ninety days", "2026-07-09"),
            ("on May 1", "2026-05-01"),
            ("on 1 March", "2027-03-01"),
            ("on 20270115", "2027-01-15"),
            ("removal: 2027-01", "2027-01-01 to 2027-01-31"),
            ("at the end of 2027-01.", "2027-01-31"),
            ("next month", "2026-05-01 to 2026-05-31"),
            ("next year", "2027-01-01 to 2027-12-31"),
            ("early next year", "2027-01-01 to 2027-05-02"),
            ("next week", "2026-04-13 to 2026-04-19"),
            ("later this year", "2026-04-10 to 2026-12-31"),
            ("at the end of the year", "2026-12-31"),
            ("by the end of this month", "2026-04-30"),
            ("at the beginning of the year", "2027-01-01"),
            ("end of the quarter", "2026-06-30"),
            ("by year-end", "2026-12-31"),
            ("in January", "2027-01-01 to 2027-01-31"),
            ("in May", "2026-05-01 to 2026-05-31"),
            ("by mid-June", "2026-06-10 to 2026-06-20"),
        ] {
            assert_eq!(read(text), [expected], "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "in 2000 requests",
            "up to 2026 records in a page",
            "status 2030",
            "on 2026-13-31",
            "on February 30, 2026",
            "version 1.2.2026000",
            "you may call it 30 days a month",
            "Q5 2026",
            "port 20260",
            "order 20271315",
            "it may be so, and in may cases",
            "version 2024-01-15 of the API",
            "`Api-Version: 2024-01-15`",
            "once a year",
            "the year of the order",
        ] {
            assert_eq!(read(text), Vec::<String>::new(), "{text}");
        }
        assert!(dates("in 90 days", None).is_empty(), "nobody knows from when on");
        assert!(dates("on March 3", None).is_empty());
        assert!(names_a_day("on March 3") && names_a_day("next month") && !names_a_day("in 90 days"));
    }

    #[test]
    fn days_are_counted_to_the_first_day() {
        let span = dates("in Q3 2026", None)[0].1;
        assert_eq!(span.days_left("2026-06-24".parse().unwrap()), 7);
        assert_eq!(span.days_left("2026-07-02".parse().unwrap()), -1);
    }
}
