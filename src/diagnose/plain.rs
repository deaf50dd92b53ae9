//! Plain diagnoses: whatever no reading of several findings claims, one for each path.

use std::collections::BTreeMap;

use super::Draft;
use crate::model::{ChangeKind, DiagnosisKind, ErrorClass, Fact, FieldPath, Finding};

/// Drafts for all findings that are not claimed yet.
pub(super) fn plain(findings: &[Finding], drafts: &mut Vec<Draft>) {
    let claimed = |drafts: &[Draft], i: usize| drafts.iter().any(|d| d.claims.contains(&i));
    let weighed: Vec<String> = findings
        .iter()
        .enumerate()
        .filter(|(i, f)| f.kind == ChangeKind::FieldAdded && !claimed(drafts, *i))
        .map(|(_, f)| f.path.to_string())
        .collect();
    let mut by_path: BTreeMap<&FieldPath, Vec<usize>> = BTreeMap::new();
    for (i, finding) in findings.iter().enumerate() {
        if !claimed(drafts, i) {
            by_path.entry(&finding.path).or_default().push(i);
        }
    }
    for (path, mut here) in by_path {
        here.sort_by_key(|i| (rank(findings[*i].kind), *i));
        if path.is_root() {
            // The stream as a whole: outage, paging and volume are different things.
            drafts.extend(here.into_iter().map(|i| draft(findings, vec![i], &weighed)));
        } else {
            drafts.push(draft(findings, here, &weighed));
        }
    }
}

/// Which of several findings of one path names the diagnosis: the more it explains of the others, the earlier.
const fn rank(kind: ChangeKind) -> u8 {
    match kind {
        ChangeKind::FieldRemoved | ChangeKind::FieldAdded => 0,
        ChangeKind::Swapped => 1,
        ChangeKind::TypeChanged => 2,
        ChangeKind::FormatChanged | ChangeKind::IdSchemeChanged => 3,
        ChangeKind::ScaleChanged | ChangeKind::SignFlipped | ChangeKind::TimezoneShifted => 4,
        ChangeKind::EncodingChanged | ChangeKind::CaseChanged => 5,
        ChangeKind::Truncated => 6,
        ChangeKind::Stale => 7,
        ChangeKind::NullsChanged | ChangeKind::PresenceChanged => 8,
        ChangeKind::EnumChanged => 9,
        ChangeKind::CardinalityChanged => 10,
        ChangeKind::DistributionShifted => 11,
        ChangeKind::DocsChanged | ChangeKind::DocsContradicted => 13,
        _ => 12,
    }
}

fn draft(findings: &[Finding], claims: Vec<usize>, added: &[String]) -> Draft {
    let finding = &findings[claims[0]];
    let mut draft = Draft::new(kind_of(finding), finding.path.clone());
    draft.to = finding.to.clone();
    draft.evidence = finding.evidence.clone();
    for name in [
        "transform",
        "ratio",
        "offset",
        "unit",
        "from_format",
        "to_format",
        "from_types",
        "to_types",
        "new_values",
        "lost_values",
        "encoding",
        "from_case",
        "to_case",
        "from_separator",
        "to_separator",
        "offset_minutes",
        "from_length",
        "to_length",
        "from_decimals",
        "to_decimals",
        "sentinel",
        "class",
        "what",
        "types",
        "operation",
        "from",
        "to",
    ] {
        if let Some(fact) = finding.evidence.get(name) {
            draft.detail.set(name, fact.clone());
        }
    }
    if finding.kind == ChangeKind::FieldRemoved && !added.is_empty() {
        draft.detail.set("weighed", Fact::Words(added.to_vec()));
    }
    draft.confidence = confidence(finding);
    let docs = claims.iter().any(|i| findings[*i].kind == ChangeKind::DocsChanged);
    if docs && finding.kind != ChangeKind::DocsChanged {
        draft.detail.set("documented", true);
        draft.confidence = draft.confidence.max(0.99);
    }
    draft.claims = claims;
    draft
}

/// How sure a plain diagnosis is, from 0 to 1: of entities seen on both sides the share that shows it; of a test the
/// share of quiet windows that would not have come so far (1 - p, which is no chance of being right, since nothing is
/// known of how often things change); of what is seen as it is and needs no test (structure, types, formats, scales) the
/// most that any of these may claim, 0.999.
fn confidence(finding: &Finding) -> f64 {
    let p_value = finding.evidence.number("p_value").unwrap_or(0.0);
    match (finding.evidence.number("paired"), finding.evidence.number("agreeing")) {
        (Some(paired), Some(agreeing)) if paired > 0.0 => agreeing / paired,
        _ => (1.0 - p_value).clamp(0.5, 0.999),
    }
}

fn kind_of(finding: &Finding) -> DiagnosisKind {
    use ChangeKind as C;
    use DiagnosisKind as D;
    let facts = &finding.evidence;
    match finding.kind {
        C::FieldAdded => D::Added,
        C::FieldRemoved => D::Removed,
        C::PresenceChanged | C::NullsChanged => D::NullsChanged,
        C::TypeChanged => match facts.text("transform") {
            Some(t) if t.contains("epoch") || t.contains("locale") => D::Reformatted,
            Some("integer-to-uuid" | "integer-to-prefixed" | "integer-id-to-text") => D::IdSchemeChanged,
            Some("words-to-codes") => D::EnumChanged,
            _ => D::Retyped,
        },
        C::FormatChanged => D::Reformatted,
        C::EnumChanged => D::EnumChanged,
        C::ScaleChanged => D::Rescaled,
        C::CaseChanged => D::CaseChanged,
        C::EncodingChanged => D::ReEncoded,
        C::Truncated => D::Truncated,
        C::Stale => D::Stale,
        C::CardinalityChanged => D::CardinalityChanged,
        C::DistributionShifted => D::DistributionShifted,
        C::SignFlipped => D::SignFlipped,
        C::TimezoneShifted => D::TimezoneShifted,
        C::IdSchemeChanged => D::IdSchemeChanged,
        C::Swapped => D::Swapped,
        C::VolumeChanged if facts.text("what") == Some("rate-limit") => D::RateLimitChanged,
        C::VolumeChanged => D::VolumeChanged,
        C::EnvelopeChanged => D::EnvelopeChanged,
        C::PagingChanged if facts.get("repeated") == Some(&Fact::Flag(true)) => D::PagingLoop,
        C::PagingChanged => D::PagingChanged,
        C::ResponseFailed => facts.text("class").map_or(D::Outage, response),
        C::NotObserved => D::Outage,
        C::RecordsMalformed => D::NotJson,
        C::DocsChanged => D::DocsChanged,
        C::DocsContradicted => D::DocsContradicted,
        C::EndAnnounced => D::Deprecated,
    }
}

/// The diagnosis of an error class.
fn response(word: &str) -> DiagnosisKind {
    use DiagnosisKind as D;
    use ErrorClass as E;
    let class = serde_json::from_value::<E>(serde_json::Value::String(word.to_owned()));
    match class {
        Ok(E::AuthExpired | E::AuthInvalid) => D::AuthExpired,
        Ok(E::AuthChanged) => D::AuthChanged,
        Ok(E::PermissionLost | E::AccountBlocked | E::BlockedByFirewall) => D::PermissionLost,
        Ok(E::RateLimited) => D::RateLimited,
        Ok(E::QuotaExhausted) => D::QuotaExhausted,
        Ok(E::EndpointGone | E::NotFound) => D::EndpointGone,
        Ok(E::EndpointMoved) => D::EndpointMoved,
        Ok(E::NotJson | E::Truncated) => D::NotJson,
        Ok(E::OkWithError) => D::OkWithError,
        Ok(E::Deprecated) => D::Deprecated,
        Ok(E::PageTooBig) => D::PagingChanged,
        // A request that is no longer understood: what is asked for is described otherwise now.
        Ok(E::RequestInvalid) => D::DocsContradicted,
        Ok(E::Outage) | Err(_) => D::Outage,
    }
}
