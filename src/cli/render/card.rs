//! Cards: one diagnosis or one finding, compactly, worst things first to the eye.
//!
//! ```text
//! ✖ breaking  renamed  $.old → $.new
//!             The sentence that a person acts on.
//!             evidence  paired 21 · agreeing 21
//!             patch     drogue patches show 3f…
//! ```

use jiff::Timestamp;

use super::text::{clean, join, percent, thousands, width, wrap};
use super::{Style, Tone};
use crate::model::{Diagnosis, Fact, Facts, FieldPath, Finding, FindingState, Severity, Subject};

/// Columns before the text of a card: a sign, the longest severity, and gaps.
const INDENT: usize = 12;
/// Columns of the words before evidence, patch and the like.
const LABEL: usize = 11;
/// Facts on a card; the rest is in the details.
const MOST_FACTS: usize = 8;

/// The sign, word and colour of a severity.
pub(super) const fn severity_sign(severity: Severity, style: &Style) -> (&'static str, Tone) {
    match severity {
        Severity::Breaking => (style.sign("✖", "x"), Tone::Breaking),
        Severity::Warning => (style.sign("▲", "!"), Tone::Warning),
        Severity::Info => (style.sign("●", "*"), Tone::Info),
    }
}

/// A card under construction.
pub(super) struct Card<'s> {
    style: &'s Style,
    pub(super) out: String,
}

impl<'s> Card<'s> {
    /// Begins with the severity, what it is, and where.
    pub(super) fn new(
        style: &'s Style,
        severity: Severity,
        kind: &str,
        path: &FieldPath,
        to: &[FieldPath],
        tag: &str,
    ) -> Self {
        let (sign, tone) = severity_sign(severity, style);
        let badge = format!("{sign} {}", severity.word());
        let mut card = Self { style, out: style.paint(tone, &badge) };
        card.out.push_str(&" ".repeat(INDENT.saturating_sub(width(&badge))));
        let kind = clean(kind);
        let room = style.width.max(40) - INDENT;
        let tag_text = if tag.is_empty() { String::new() } else { format!("  {tag}") };
        let place = place(path, to, style);
        if width(&kind) + 2 + width(&place) + width(&tag_text) <= room {
            let gap = if place.is_empty() { "" } else { "  " };
            card.out.push_str(&style.paint(Tone::Bold, &kind));
            card.out.push_str(gap);
            card.out.push_str(&place);
            card.out.push_str(&style.paint(Tone::Dim, &tag_text));
            card.out.push('\n');
        } else {
            card.out.push_str(&style.paint(Tone::Bold, &kind));
            card.out.push_str(&style.paint(Tone::Dim, &tag_text));
            card.out.push('\n');
            card.lines(&wrap(&place, room), Tone::Plain);
        }
        card
    }

    fn lines(&mut self, lines: &[String], tone: Tone) {
        for line in lines {
            self.out.push_str(&" ".repeat(INDENT));
            self.out.push_str(&self.style.paint(tone, line));
            self.out.push('\n');
        }
    }

    pub(super) fn sentence(&mut self, text: &str) {
        self.sentence_in(text, Tone::Plain);
    }

    pub(super) fn sentence_in(&mut self, text: &str, tone: Tone) {
        self.lines(&wrap(&clean(text), self.style.measure() - INDENT), tone);
    }

    /// A line below the last one, set in, that is less important.
    pub(super) fn aside(&mut self, text: &str) {
        self.lines(&[format!("  {}", clean(text))], Tone::Dim);
    }

    /// Lines behind a word.
    fn labelled(&mut self, label: &str, lines: &[String], tone: Tone) {
        for (at, line) in lines.iter().enumerate() {
            let label = if at == 0 { label } else { "" };
            self.out.push_str(&" ".repeat(INDENT));
            self.out.push_str(&self.style.paint(Tone::Dim, &format!("{label:LABEL$}")));
            self.out.push_str(&self.style.paint(tone, line));
            self.out.push('\n');
        }
    }

    fn room(&self) -> usize {
        self.style.measure().saturating_sub(INDENT + LABEL)
    }

    fn facts(&mut self, label: &str, pieces: &[String]) {
        if pieces.is_empty() {
            return;
        }
        self.labelled(label, &join(pieces, self.style.dot(), self.room()), Tone::Plain);
    }

    fn text(&mut self, label: &str, text: &str) {
        self.labelled(label, &wrap(&clean(text), self.room()), Tone::Plain);
    }
}

/// `$.old → $.new`; nothing for the stream as a whole.
fn place(path: &FieldPath, to: &[FieldPath], style: &Style) -> String {
    let to = to.iter().map(|path| clean(&path.to_string())).collect::<Vec<_>>().join(", ");
    match (*path == FieldPath::root(), to.is_empty()) {
        (true, true) => String::new(),
        (true, false) => to,
        (false, true) => clean(&path.to_string()),
        (false, false) => format!("{}{}{to}", clean(&path.to_string()), style.arrow()),
    }
}

/// A fact as people read it: `live presence 12.5 %`.
fn fact(name: &str, fact: &Fact) -> String {
    let is_share =
        name == "share" || name.ends_with("presence") || name.ends_with("rate") || name.ends_with("_share");
    let value = match fact {
        Fact::Number(number) if is_share && (0.0..=1.0).contains(number) => percent(*number),
        Fact::Count(number) => thousands(*number),
        Fact::Words(words) if words.len() > 6 => {
            format!("{} and {} more", words[..6].join(", "), words.len() - 6)
        }
        other => other.to_string(),
    };
    // Numbers read on; words need a stop.
    let stop = if matches!(fact, Fact::Text(_) | Fact::Words(_)) { ":" } else { "" };
    format!("{}{stop} {}", clean(name).replace('_', " "), clean(&value))
}

/// The facts that a person looks at. How much was compared stands in the heading of a report.
fn facts(all: &Facts) -> Vec<String> {
    const HEADING: [&str; 2] = ["baseline_records", "live_records"];
    let mut shown = Vec::new();
    let pairs = all.number("paired").zip(all.number("agreeing"));
    if let Some((paired, agreeing)) = pairs {
        shown.push(format!("{agreeing} of {paired} pairs agree"));
    }
    // How near two fields came to each other by these is for programs; what is empty says nothing to anybody.
    const MEASURES: [&str; 3] = ["distance", "presence_gap", "same_neighbours"];
    let says_nothing = |name: &str, fact: &Fact| match fact {
        Fact::Words(words) => words.iter().all(|word| word.trim().is_empty()),
        Fact::Count(0) if matches!(name, "paired" | "agreeing") => true,
        Fact::Number(number) if name == "name_similarity" => *number == 0.0,
        _ => MEASURES.contains(&name),
    };
    let told =
        |name: &str| HEADING.contains(&name) || pairs.is_some() && matches!(name, "paired" | "agreeing");
    // What tells this change from others comes first; what every change has comes last.
    const COMMON: [&str; 8] = [
        "baseline_support",
        "live_support",
        "mapped",
        "object",
        "p_value",
        "presence",
        "same_parent",
        "types",
    ];
    let is_common = |name: &str| COMMON.contains(&name);
    let (common, telling): (Vec<_>, Vec<_>) = all
        .iter()
        .filter(|(name, fact)| !told(name) && !says_nothing(name, fact))
        .partition(|(name, _)| is_common(name));
    shown.extend(telling.into_iter().chain(common).map(|(name, value)| fact(name, value)));
    let more = shown.len().saturating_sub(MOST_FACTS);
    let mut shown: Vec<String> = shown.into_iter().take(MOST_FACTS).collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown
}

/// A time to the minute.
pub(super) fn when(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// One diagnosis as a card. `explained` are its findings, where they are at hand: the first window that showed it
/// comes from them.
#[must_use]
pub fn diagnosis(diagnosis: &Diagnosis, explained: &[&Finding], style: &Style) -> String {
    let tag = if diagnosis.ambiguous { "ambiguous" } else { "" };
    let mut card =
        Card::new(style, diagnosis.severity, &diagnosis.kind.word(), &diagnosis.path, &diagnosis.to, tag);
    card.sentence(&diagnosis.summary);
    if diagnosis.severity == Severity::Info && !diagnosis.ambiguous && diagnosis.patch.is_none() {
        return card.out;
    }
    card.facts("detail", &facts(&diagnosis.detail));
    let mut evidence = vec![format!("{} sure", percent(diagnosis.confidence))];
    evidence.extend(facts(&diagnosis.evidence));
    card.facts("evidence", &evidence);
    if let Some(first) = explained.iter().filter_map(|finding| finding.first_seen).min() {
        card.text("since", &when(first));
    }
    if !diagnosis.candidates.is_empty() {
        let label = if diagnosis.ambiguous { "either" } else { "also near" };
        let lines: Vec<String> = diagnosis
            .candidates
            .iter()
            .map(|candidate| {
                let path = clean(&candidate.path.to_string());
                let mut line = format!("{:>6}  {path}", percent(candidate.score));
                let facts = facts(&candidate.facts).join(style.dot());
                if !facts.is_empty() && width(&line) + 2 + width(&facts) <= card.room() {
                    line.push_str("  ");
                    line.push_str(&facts);
                }
                line
            })
            .collect();
        card.labelled(label, &lines, Tone::Plain);
    }
    match &diagnosis.patch {
        Some(id) => {
            let command = format!("drogue patches show {}", clean(id));
            card.labelled("patch", &[command], Tone::Bold);
        }
        None if diagnosis.ambiguous => {
            card.text("patch", "none: several readings come close, and a person decides")
        }
        None => {}
    }
    card.out
}

/// One finding as a card.
#[must_use]
pub fn finding(finding: &Finding, style: &Style) -> String {
    let mut card =
        Card::new(style, finding.severity, &finding.rule, &finding.path, &finding.to, state(finding));
    card.sentence(&finding.message);
    if finding.severity == Severity::Info {
        return card.out;
    }
    card.facts("evidence", &facts(&finding.evidence));
    if let Some(first) = finding.first_seen {
        card.text("since", &when(first));
    }
    if let Some(remedy) = &finding.remedy {
        card.text("next", remedy);
    }
    card.out
}

/// The state of a finding where it is worth a word.
const fn state(finding: &Finding) -> &'static str {
    match finding.state {
        FindingState::Open => "",
        FindingState::Acknowledged | FindingState::Resolved | FindingState::Flapping => finding.state.word(),
    }
}

/// One finding with all its facts, and the commands that go on from there.
#[must_use]
pub fn finding_detail(subject: &Subject, finding: &Finding, style: &Style) -> String {
    let mut card =
        Card::new(style, finding.severity, &finding.rule, &finding.path, &finding.to, finding.state.word());
    card.sentence(&finding.message);
    card.out.push('\n');
    card.text("stream", &subject.to_string());
    card.text("finding", &finding.fingerprint.to_string());
    if let Some(first) = finding.first_seen {
        card.text("first seen", &when(first));
    }
    if let Some(last) = finding.last_seen {
        card.text("last seen", &when(last));
    }
    if let Some(id) = &finding.explained_by {
        card.text("diagnosis", id);
    }
    let all: Vec<(&str, &Fact)> = finding.evidence.iter().collect();
    for (at, (name, value)) in all.iter().enumerate() {
        let label = if at == 0 { "evidence" } else { "" };
        card.labelled(label, &wrap(&fact(name, value), card.room()), Tone::Plain);
    }
    if let Some(remedy) = &finding.remedy {
        card.text("next", remedy);
    }
    card.out.push('\n');
    let fingerprint = clean(&finding.fingerprint.to_string());
    let explain = format!("drogue rules explain {}", clean(&finding.rule));
    let ack = format!("drogue findings ack {fingerprint}");
    card.out
        .push_str(&commands(&[(explain, "what the rule looks for"), (ack, "seen; stop reminding")], style));
    card.out
}

/// Commands that a person may run next, with what each does.
pub(in crate::cli) fn commands(list: &[(String, &str)], style: &Style) -> String {
    let widest = list.iter().map(|(command, _)| width(command)).max().unwrap_or(0);
    let mut out = String::new();
    for (command, what) in list {
        let pad = " ".repeat(widest - width(command) + 3);
        out.push_str(&format!(
            "  {}{pad}{}\n",
            style.paint(Tone::Bold, command),
            style.paint(Tone::Dim, what)
        ));
    }
    out
}
