//! Reports: a heading for the stream, a card for each thing that happened, and what it comes to.

use super::card::{diagnosis, finding, severity_sign, when};
use super::docs;
use super::text::{clean, count, thousands, width, wrap};
use super::{Style, Tone};
use crate::model::{
    CompareKind, Compared, Diagnosis, Finding, FindingState, Report, ReportSet, Severity, Unobserved,
};

/// Paths that could not be judged and are listed; the rest is counted.
const MOST_INCONCLUSIVE: usize = 5;

/// One report: heading, cards, what could not be judged, and the sum.
#[must_use]
pub fn report(report: &Report, style: &Style) -> String {
    let mut out = body(report, style);
    if !is_quiet(report) {
        out.push('\n');
        out.push_str(&sum(&tally(std::slice::from_ref(report)), style));
        out.push_str(&style.paint(Tone::Dim, &format!("{}{}", style.dot(), compared(&report.compared))));
        out.push('\n');
    }
    out
}

/// Several reports, the streams that could not be observed, and what it all comes to.
#[must_use]
pub fn report_set(set: &ReportSet, style: &Style) -> String {
    let mut out = String::new();
    // Streams with something to say come first; the others are one line each.
    let (loud, quiet): (Vec<&Report>, Vec<&Report>) =
        set.reports.iter().partition(|report| !is_quiet(report));
    for report in &loud {
        out.push_str(&body(report, style));
        out.push('\n');
    }
    for report in &quiet {
        out.push_str(&body(report, style));
    }
    if !set.unobserved.is_empty() {
        if !quiet.is_empty() {
            out.push('\n');
        }
        out.push_str(&unobserved(&set.unobserved, style));
    }
    if !out.is_empty() && !out.ends_with("\n\n") {
        out.push('\n');
    }
    // A stream that fails, and has an open finding because of that, is one stream.
    let mut names: Vec<(&str, &str)> =
        set.reports.iter().map(|r| (r.subject.connector.as_str(), r.subject.stream.as_str())).collect();
    names.extend(set.unobserved.iter().map(|u| (u.connector.as_str(), u.stream.as_str())));
    names.sort_unstable();
    names.dedup();
    let streams = names.len();
    if streams == 0 {
        return "nothing was compared\n".to_owned();
    }
    out.push_str(&sum(&tally(&set.reports), style));
    let mut rest = vec![count(streams as u64, "stream")];
    if !set.unobserved.is_empty() {
        rest.push(format!("{} could not be observed", set.unobserved.len()));
    }
    out.push_str(&style.paint(Tone::Dim, &format!("{}{}", style.dot(), rest.join(style.dot()))));
    out.push('\n');
    out
}

/// Streams that could not be observed, with what came instead.
#[must_use]
pub fn unobserved(list: &[Unobserved], style: &Style) -> String {
    let mut out = String::new();
    let sign = style.sign("◌", "?");
    for stream in list {
        let name = clean(&format!("{}/{}", stream.connector, stream.stream));
        out.push_str(&format!(
            "{} {}  {}\n",
            style.paint(Tone::Warning, sign),
            style.paint(Tone::Bold, &name),
            style.paint(Tone::Dim, "could not be observed"),
        ));
        let mut text = clean(&stream.outcome);
        if let Some(at) = stream.retry_at {
            text.push_str(&format!("{}looks again at {}", style.dot(), when(at)));
        }
        for line in wrap(&text, style.measure() - 2) {
            out.push_str(&format!("  {line}\n"));
        }
    }
    out
}

/// Whether there is nothing to say of a stream.
fn is_quiet(report: &Report) -> bool {
    report.diagnoses.is_empty() && report.findings.is_empty() && report.inconclusive.is_empty()
}

fn body(report: &Report, style: &Style) -> String {
    let name = clean(&report.subject.to_string());
    let against = compared(&report.compared);
    if is_quiet(report) {
        return format!(
            "{} {}  {}\n",
            style.paint(Tone::Good, style.sign("✔", "ok")),
            style.paint(Tone::Bold, &name),
            style.paint(Tone::Dim, &format!("nothing changed{}{against}", style.dot())),
        );
    }
    let mut out = style.paint(Tone::Bold, &name);
    let room = style.width.max(40);
    if width(&name) + 2 + width(&against) <= room {
        out.push_str("  ");
    } else {
        out.push('\n');
    }
    out.push_str(&style.paint(Tone::Dim, &against));
    out.push('\n');
    let mut cards: Vec<(Severity, String)> = Vec::new();
    for one in &report.diagnoses {
        let explained: Vec<&Finding> =
            report.findings.iter().filter(|finding| one.explains.contains(&finding.fingerprint)).collect();
        let card = if docs::gathers(one) && !explained.is_empty() {
            docs::documentation(one, &explained, style)
        } else {
            diagnosis(one, &explained, style)
        };
        cards.push((one.severity, card));
    }
    for one in report.findings.iter().filter(|finding| !is_explained(report, finding)) {
        cards.push((one.severity, finding(one, style)));
    }
    // Worst first; what is equally bad keeps its order, diagnoses before findings.
    cards.sort_by_key(|(severity, _)| std::cmp::Reverse(*severity));
    for (_, card) in &cards {
        out.push('\n');
        out.push_str(card);
    }
    out.push_str(&inconclusive(report, style));
    out
}

/// Whether a diagnosis only gathers findings that the report has.
fn gathers_findings(report: &Report, diagnosis: &Diagnosis) -> bool {
    docs::gathers(diagnosis)
        && report.findings.iter().any(|one| diagnosis.explains.contains(&one.fingerprint))
}

/// Whether a diagnosis in the same report speaks for a finding.
fn is_explained(report: &Report, finding: &Finding) -> bool {
    report.diagnoses.iter().any(|diagnosis| diagnosis.explains.contains(&finding.fingerprint))
}

fn inconclusive(report: &Report, style: &Style) -> String {
    let all = &report.inconclusive;
    if all.is_empty() {
        return String::new();
    }
    let head = format!("{} could not be judged", count(all.len() as u64, "path"));
    let mut out = format!("\n{} {}\n", style.paint(Tone::Dim, "?"), style.paint(Tone::Dim, &head));
    let shown: Vec<String> =
        all.iter().take(MOST_INCONCLUSIVE).map(|one| clean(&one.path.to_string())).collect();
    let most = (style.measure() / 2).max(20);
    let widest = shown.iter().map(|path| width(path)).filter(|columns| *columns <= most).max().unwrap_or(0);
    for (path, one) in shown.iter().zip(all) {
        let why = clean(&one.why);
        if width(path) <= widest {
            let pad = " ".repeat(widest - width(path));
            out.push_str(&style.paint(Tone::Dim, &format!("  {path}{pad}  {why}")));
        } else {
            out.push_str(&style.paint(Tone::Dim, &format!("  {path}\n    {why}")));
        }
        out.push('\n');
    }
    if all.len() > shown.len() {
        let rest = format!("  and {} more; `--format json` lists them", all.len() - shown.len());
        out.push_str(&style.paint(Tone::Dim, &rest));
        out.push('\n');
    }
    out
}

/// `480 records against 500, baseline 3`.
fn compared(compared: &Compared) -> String {
    match compared.kind {
        CompareKind::Docs => "documents compared".to_owned(),
        CompareKind::Records => {
            let mut text = format!(
                "{} against {}",
                count(compared.live.records, "record"),
                thousands(compared.baseline.records)
            );
            if let Some(version) = compared.baseline.version {
                text.push_str(&format!(", baseline {version}"));
            }
            text
        }
    }
}

/// How many things of each severity: breaking, warning, info.
fn tally(reports: &[Report]) -> [usize; 3] {
    let mut tally = [0; 3];
    let slot = |severity: Severity| match severity {
        Severity::Breaking => 0,
        Severity::Warning => 1,
        Severity::Info => 2,
    };
    for report in reports {
        // What only gathers findings is counted by them, as it is listed.
        for diagnosis in report.diagnoses.iter().filter(|one| !gathers_findings(report, one)) {
            tally[slot(diagnosis.severity)] += 1;
        }
        let speaks = |one: &Diagnosis, finding: &Finding| {
            one.explains.contains(&finding.fingerprint) && !gathers_findings(report, one)
        };
        let open = |finding: &&Finding| {
            finding.state != FindingState::Resolved
                && !report.diagnoses.iter().any(|one| speaks(one, finding))
        };
        for finding in report.findings.iter().filter(open) {
            tally[slot(finding.severity)] += 1;
        }
    }
    tally
}

/// `2 breaking, 1 warning, 3 info`.
fn sum(tally: &[usize; 3], style: &Style) -> String {
    let parts: Vec<String> = [Severity::Breaking, Severity::Warning, Severity::Info]
        .into_iter()
        .zip(tally)
        .filter(|(_, number)| **number > 0)
        .map(|(severity, number)| {
            style.paint(severity_sign(severity, style).1, &format!("{number} {}", severity.word()))
        })
        .collect();
    if parts.is_empty() { style.paint(Tone::Good, "nothing to act on") } else { parts.join(", ") }
}
