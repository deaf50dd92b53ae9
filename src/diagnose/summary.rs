//! The one sentence of a diagnosis: what happened to which field, by how much, on what evidence.

use crate::model::{Diagnosis, DiagnosisKind, Fact};

/// What the summary of a field that is gone says where no other field has its values.
pub const NOTHING_NEW: &str = "no new field took its place";

/// The sentence.
pub(super) fn sentence(d: &Diagnosis) -> String {
    use DiagnosisKind as K;
    let path = &d.path;
    let to = d.to.first().map(ToString::to_string).unwrap_or_default();
    let all_to = d.to.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(" and ");
    let fact = |name: &str| d.detail.get(name).or_else(|| d.evidence.get(name)).map(ToString::to_string);
    let number = |name: &str| d.detail.number(name).or_else(|| d.evidence.number(name));
    let share = |name: &str| number(name).map(percent).unwrap_or_default();
    let between = |from: &str, to: &str| match (fact(from), fact(to)) {
        (Some(from), Some(to)) if from != to => format!("{from} became {to}"),
        (_, Some(to)) => format!("now {to}"),
        _ => "another notation".to_owned(),
    };
    let part = match number("share") {
        Some(share) if share > 0.0 && share < 0.995 => format!(" in {} of the values", percent(share)),
        _ => String::new(),
    };
    match d.kind {
        K::Renamed | K::Moved => rename(d, &to),
        K::Split => format!("`{path}` was split into {all_to}"),
        K::Merged => {
            let with = d.detail.words("with").unwrap_or_default().join("` and `");
            format!("`{path}` and `{with}` were merged into `{to}`")
        }
        K::Swapped => format!("`{path}` and `{to}` exchanged their contents{}", paired(d)),
        K::Removed => {
            let weighed = d.detail.words("weighed").unwrap_or_default();
            let none = match weighed {
                [] => NOTHING_NEW.to_owned(),
                some => format!(
                    "{} {}, but with other values than were here",
                    list(some),
                    plural(some, "is new", "are new")
                ),
            };
            format!("`{path}` is gone{}; {none}", within(d))
        }
        K::Added => format!(
            "`{path}` is new{} ({}{})",
            among(d),
            fact("types").unwrap_or_default(),
            number("presence")
                .filter(|p| *p < 0.995)
                .map(|p| format!(", in {} of the places", percent(p)))
                .unwrap_or_default()
        ),
        K::Retyped => {
            format!("`{path}` has another type{}: {}{part}", among(d), between("from_types", "to_types"))
        }
        K::Reformatted if d.detail.text("transform") == Some("host") => {
            format!("`{path}` points to another host: {}{part}", between("from_format", "to_format"))
        }
        K::Reformatted if d.detail.text("transform") == Some("width") => format!(
            "`{path}` has codes of another length: {} characters became {}{part}",
            fact("from_length").unwrap_or_default(),
            fact("to_length").unwrap_or_default()
        ),
        K::Reformatted if d.detail.text("transform") == Some("suffix") => {
            format!("`{path}` has values that go on, or end, where they did not{part}")
        }
        K::Reformatted => {
            let how = if fact("to_format").is_some() {
                between("from_format", "to_format")
            } else {
                between("from_types", "to_types")
            };
            format!("`{path}` is written in another notation: {how}{part}")
        }
        K::Rescaled => rescaled(d),
        K::ReEncoded => {
            let how = match (fact("from_separator"), fact("to_separator")) {
                (Some(from), Some(to)) => format!("`{from}` became `{to}`"),
                _ => fact("encoding").or_else(|| fact("transform")).unwrap_or_default(),
            };
            format!("`{path}` has the same content in another encoding: {how}{part}")
        }
        K::EnumChanged => {
            let words = |name| d.detail.words(name).unwrap_or_default();
            match (words("new_values"), words("lost_values")) {
                ([], []) => format!("`{path}` has other values than before{part}"),
                (new, []) => {
                    let brings = match d.evidence.words("brings").unwrap_or_default() {
                        [] => String::new(),
                        fields => format!("; with it came {}", list(fields)),
                    };
                    format!(
                        "`{path}` has {}: {}{brings}",
                        plural(new, "a new value", "new values"),
                        list(new)
                    )
                }
                ([], lost) => {
                    format!("`{path}` no longer has the {} {}", plural(lost, "value", "values"), list(lost))
                }
                (new, lost) => format!(
                    "`{path}` has {}: {} in place of {}",
                    plural(new, "another value", "other values"),
                    list(new),
                    list(lost)
                ),
            }
        }
        K::CaseChanged => {
            let words = |name| d.detail.words(name).unwrap_or_default();
            let besides = match (words("new_values"), words("lost_values")) {
                ([], []) => String::new(),
                (new, []) => format!("; besides, {} came", list(new)),
                ([], lost) => {
                    format!("; besides, {} no longer {}", list(lost), plural(lost, "comes", "come"))
                }
                (new, lost) => format!("; besides, {} came in place of {}", list(new), list(lost)),
            };
            format!(
                "`{path}` changed from {} to {} case{part}{besides}",
                fact("from_case").unwrap_or_default(),
                fact("to_case").unwrap_or_default()
            )
        }
        K::IdSchemeChanged => format!(
            "`{path}` has identifiers of another scheme: {}{part}",
            if fact("to_format").is_some() {
                between("from_format", "to_format")
            } else {
                between("from_types", "to_types")
            }
        ),
        K::NullsChanged => nulls(d),
        K::Truncated => match (fact("from_decimals"), fact("to_decimals")) {
            (from @ Some(_), Some(to)) => {
                let to = if to == "0" { "none".to_owned() } else { to };
                format!("`{path}` lost digits: {} became {to}", counted(from, "decimal", "decimals"))
            }
            _ => format!(
                "`{path}` is cut to {}; it had up to {}",
                counted(fact("to_length"), "character", "characters"),
                fact("from_length").unwrap_or_default()
            ),
        },
        K::Stale => match number("share") {
            Some(share) if d.detail.text("transform") != Some("replay") => format!(
                "`{path}` stands still: one value in {} of the records, where there were {}",
                percent(share),
                counted(fact("baseline_distinct"), "value", "values")
            ),
            _ => format!(
                "`{path}` repeats {}, where there were {}",
                counted(fact("distinct"), "value", "values"),
                fact("baseline_distinct").unwrap_or_default()
            ),
        },
        K::CardinalityChanged => format!(
            "`{path}` has {}, where there were {}",
            counted(fact("live_distinct"), "distinct value", "distinct values"),
            fact("baseline_distinct").unwrap_or_default()
        ),
        K::DistributionShifted => match d.detail.text("transform") {
            Some("inverted") => format!(
                "`{path}` has true and false exchanged: {} true became {}",
                share("baseline_share"),
                share("live_share")
            ),
            Some("mix") => format!(
                "`{path}` has its values in other proportions: {} of the records would have to change",
                share("effect")
            ),
            Some("spread") => format!(
                "`{path}` is spread otherwise than before (distance {})",
                fact("effect").unwrap_or_default()
            ),
            _ => format!("`{path}` has shifted (distance {})", fact("effect").unwrap_or_default()),
        },
        K::SignFlipped => format!("`{path}` changed its sign{}", paired(d)),
        K::TimezoneShifted => format!(
            "`{path}` moved by {}: another time zone{}",
            offset(number("offset_minutes").unwrap_or_default()),
            paired(d)
        ),
        K::VolumeChanged => format!(
            "{} came, where about {} are usual",
            counted(fact("seen"), "record", "records"),
            fact("expected").unwrap_or_default()
        ),
        K::RateLimitChanged => format!(
            "the rate limit went from {} to {}",
            fact("expected").unwrap_or_default(),
            fact("seen").unwrap_or_default()
        ),
        K::AuthChanged => "the source asks for another way to sign in".to_owned(),
        K::AuthExpired => format!("the source refuses the credential{}: sign in again", status(d)),
        K::PermissionLost => match fact("class").as_deref() {
            Some("blocked-by-firewall") => format!("a firewall before the source refuses{}", status(d)),
            Some("account-blocked") => format!("the account is blocked{}", status(d)),
            _ => format!("the credential no longer suffices{}", status(d)),
        },
        K::RateLimited => format!("the source refuses for too many requests{}: wait", status(d)),
        K::QuotaExhausted => format!("the allowance of the period is used up{}", status(d)),
        K::Outage => match fact("interval") {
            Some(interval) => format!("no window was completed for twice the interval of {interval}"),
            None => format!("the source is down{}", status(d)),
        },
        K::EndpointGone => format!("the endpoint is no more{}", status(d)),
        K::EndpointMoved => format!("the endpoint has moved{}", status(d)),
        K::PagingChanged => format!("pages work differently{}", status(d)),
        K::PagingLoop => {
            "the same page comes again and again: records would be read twice, or never end".to_owned()
        }
        K::EnvelopeChanged => match (fact("from"), fact("to")) {
            (Some(from), Some(to)) => format!("the records moved in the response: from `{from}` to `{to}`"),
            (Some(from), None) => format!("the response has no records at `{from}` any more"),
            (None, Some(to)) => format!("the records sit elsewhere in the response: at `{to}`"),
            (None, None) => "the records are not where they were in the response".to_owned(),
        },
        K::NotJson => match (fact("records"), fact("reason")) {
            (records @ Some(_), Some(reason)) => {
                format!("{} could not be read in full: {reason}", counted(records, "record", "records"))
            }
            _ => format!("the response is no JSON{}", status(d)),
        },
        K::OkWithError => "the status says success and the body says error".to_owned(),
        K::Deprecated => "the vendor says that the endpoint ends".to_owned(),
        K::DocsChanged => format!(
            "the documentation of `{path}` differs: {}",
            fact("what").unwrap_or_else(|| "changed".to_owned())
        ),
        K::DocsContradicted if fact("class").is_some() => {
            format!("the source takes the request for invalid{}: what it asks for has changed", status(d))
        }
        K::DocsContradicted => format!("documentation and responses disagree{}", status(d)),
    }
}

fn rename(d: &Diagnosis, to: &str) -> String {
    let verb = if d.kind == DiagnosisKind::Moved { "moved to" } else { "was renamed to" };
    let may = if d.ambiguous { "may have " } else { "" };
    let verb = match (d.ambiguous, d.kind) {
        (true, DiagnosisKind::Moved) => "moved to",
        (true, _) => "been renamed to",
        _ => verb,
    };
    let evidence = match (d.evidence.number("paired"), d.evidence.number("equal_values")) {
        (Some(paired), Some(share)) if share >= 0.9 => {
            format!(" (equal values on {:.0} of {paired:.0} records seen in both)", paired * share)
        }
        _ => match d.evidence.number("relations") {
            Some(_) => " (it stands in the same relation to other fields as before)".to_owned(),
            None => String::new(),
        },
    };
    let content = match (d.detail.text("content"), d.detail.number("ratio")) {
        (Some("scale-changed"), Some(ratio)) => {
            let unit = d.detail.text("unit").map(|u| format!(", {u}")).unwrap_or_default();
            format!("; its values are {} of what they were{unit}", times(ratio))
        }
        (Some(content), _) => match (d.detail.get("from_format"), d.detail.get("to_format")) {
            (Some(from), Some(to)) => format!("; {from} became {to}"),
            _ => format!("; besides: {content}"),
        },
        _ => String::new(),
    };
    let others = if d.candidates.len() > 1 {
        let names: Vec<String> = d.candidates[1..].iter().map(|c| format!("`{}`", c.path)).collect();
        format!("; it could be {} as well", names.join(" or "))
    } else {
        String::new()
    };
    format!("`{}` {may}{verb} `{to}`{}{evidence}{content}{others}", d.path, among(d))
}

fn rescaled(d: &Diagnosis) -> String {
    let ratio = d.detail.number("ratio").unwrap_or(1.0);
    let offset = d.detail.number("offset").unwrap_or(0.0);
    let size = if offset != 0.0 {
        format!("is {} times what it was, plus {}", Fact::Number(ratio), Fact::Number(offset))
    } else if ratio.abs() < 1.0 && ratio != 0.0 {
        format!("is {} times smaller", Fact::Number(round(1.0 / ratio)))
    } else {
        format!("is {} times larger", Fact::Number(round(ratio)))
    };
    let unit = d.detail.text("unit").map(|unit| unit.replacen(" to ", " became ", 1));
    let unit = unit.map(|unit| format!(": {unit}")).unwrap_or_default();
    format!("`{}` {size}{unit}{}", d.path, with_ratio(d, ratio))
}

fn with_ratio(d: &Diagnosis, ratio: f64) -> String {
    let ratio = if ratio.abs() < 1.0 && ratio != 0.0 { 1.0 / ratio } else { ratio };
    match (d.evidence.number("agreeing"), d.evidence.number("paired")) {
        (Some(agreeing), Some(paired)) if paired > 0.0 => {
            format!(" (ratio {ratio:.2} on {agreeing:.0} of {paired:.0} records seen in both)")
        }
        _ => String::new(),
    }
}

fn nulls(d: &Diagnosis) -> String {
    let rate = |name: &str| d.evidence.number(name).map(percent).unwrap_or_default();
    match d.detail.text("transform") {
        Some("missing") if d.evidence.get("variant").is_some() => {
            let at_times = d.evidence.number("live_presence") > Some(0.0);
            let how = if at_times { "missing at times" } else { "gone" };
            format!("`{}` is {how}{}", d.path, within(d))
        }
        Some("missing" | "present") => format!(
            "`{}` is there in {} of its places; it was in {}",
            d.path,
            rate("live_presence"),
            rate("baseline_presence")
        ),
        Some("null-to-sentinel") => format!(
            "`{}` has {} where it was null ({} of the values)",
            d.path,
            d.detail.text("sentinel").unwrap_or("a value"),
            rate("baseline_null_rate")
        ),
        Some("empty-strings") => format!(
            "`{}` is empty in {} of its values; it was in {}",
            d.path,
            rate("live_null_rate"),
            rate("baseline_null_rate")
        ),
        _ => format!(
            "`{}` is null in {} of its values{}; it was in {}",
            d.path,
            rate("live_null_rate"),
            among(d),
            rate("baseline_null_rate")
        ),
    }
}

/// The variants that it befell alone: `` in objects whose `type` is `card` ``.
fn among(d: &Diagnosis) -> String {
    objects(d).map(|objects| format!(" in {objects}")).unwrap_or_default()
}

/// The variants that a field is gone from, with how many had it and have it.
fn within(d: &Diagnosis) -> String {
    let count = |name: &str| d.evidence.get(name).map(ToString::to_string).unwrap_or_default();
    let (before, before_of) = (count("variant_before"), count("variant_before_of"));
    let (now, now_of) = (count("variant_now"), count("variant_now_of"));
    let counts = format!("({before} of {before_of} had it, {now} of {now_of} have it)");
    objects(d).map(|objects| format!(" from {objects} {counts}")).unwrap_or_default()
}

fn objects(d: &Diagnosis) -> Option<String> {
    let field = d.evidence.text("variant_field")?;
    let name = field.rsplit('.').next().unwrap_or(field);
    Some(format!("objects whose `{name}` is {}", list(d.evidence.words("variant")?)))
}

fn paired(d: &Diagnosis) -> String {
    match (d.evidence.number("agreeing"), d.evidence.number("paired")) {
        (Some(agreeing), Some(paired)) if paired > 0.0 => {
            format!(" ({agreeing:.0} of {paired:.0} records seen in both)")
        }
        _ => String::new(),
    }
}

fn status(d: &Diagnosis) -> String {
    d.evidence.number("status").map(|status| format!(" (status {status:.0})")).unwrap_or_default()
}

fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.01 {
        format!("{:.1} %", share * 100.0)
    } else {
        format!("{:.0} %", share * 100.0)
    }
}

fn round(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

fn times(ratio: f64) -> String {
    if ratio.abs() < 1.0 && ratio != 0.0 {
        format!("1/{}", Fact::Number(round(1.0 / ratio)))
    } else {
        format!("{} times", Fact::Number(round(ratio)))
    }
}

/// One or several of something.
fn counted(count: Option<String>, one: &str, many: &str) -> String {
    let count = count.unwrap_or_default();
    format!("{count} {}", if count == "1" { one } else { many })
}

fn plural<'a>(words: &[String], one: &'a str, many: &'a str) -> &'a str {
    if words.len() == 1 { one } else { many }
}

/// Minutes in words: `2 hours`, `-5.5 hours`, `15 minutes`.
fn offset(minutes: f64) -> String {
    let (size, one, many) =
        if minutes.abs() < 60.0 { (minutes, "minute", "minutes") } else { (minutes / 60.0, "hour", "hours") };
    counted(Some(Fact::Number(round(size)).to_string()), one, many)
}

fn list(words: &[String]) -> String {
    let shown: Vec<String> = words.iter().take(5).map(|w| format!("`{w}`")).collect();
    let more = if words.len() > 5 { format!(" and {} more", words.len() - 5) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
