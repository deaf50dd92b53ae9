//! One patch for all that was diagnosed of a stream and can be mended.

use std::path::Path;

use jiff::Timestamp;

use super::edits::{Remedy, remedy};
use crate::adapters::{self, Case, Edit, Refusal};
use crate::model::{
    Diagnosis, DiagnosisKind, Disposition, FieldPath, FilePatch, Framework, MappedStream, Patch, PatchState,
    Subject,
};

/// Below this confidence a person looks, whatever the kind.
const SURE: f64 = 0.9;

/// What a proposal is made from.
#[derive(Debug, Clone, Copy)]
pub struct ProposeInput<'a> {
    /// Whom it is about.
    pub subject: &'a Subject,
    /// What was diagnosed of the stream.
    pub diagnoses: &'a [Diagnosis],
    /// What the connector is written in.
    pub framework: Framework,
    /// The mapping file, absolute.
    pub path: &'a Path,
    /// The mapping file as people know it.
    pub label: &'a str,
    /// Its text.
    pub text: &'a str,
    /// The stream's name in the file.
    pub stream: &'a str,
    /// When the proposal is made.
    pub created: Timestamp,
}

/// What a person's choice among several readings is made from.
#[derive(Debug, Clone, Copy)]
pub struct ChooseInput<'a> {
    /// Whom it is about.
    pub subject: &'a Subject,
    /// The diagnosis with several readings.
    pub diagnosis: &'a Diagnosis,
    /// The path that was chosen.
    pub candidate: &'a FieldPath,
    /// What the connector is written in.
    pub framework: Framework,
    /// The mapping file, absolute.
    pub path: &'a Path,
    /// The mapping file as people know it.
    pub label: &'a str,
    /// Its text.
    pub text: &'a str,
    /// The stream's name in the file.
    pub stream: &'a str,
    /// When the choice was made.
    pub created: Timestamp,
}

/// What can be done about the diagnoses of a stream.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Proposal {
    /// The edits of all that can be mended, as one patch.
    pub patch: Option<Patch>,
    /// Diagnoses, by id, that the mapping copes with already: their baseline can be accepted.
    pub handled: Vec<String>,
    /// Diagnoses, by id, that no patch mends, and why.
    pub refused: Vec<(String, String)>,
}

/// One diagnosis on its way into the patch.
struct Mended<'a> {
    diagnosis: &'a Diagnosis,
    edits: Vec<Edit>,
    caution: Option<String>,
}

/// The patch for what was diagnosed.
///
/// Edits are made one by one in memory; one that does not fit is refused alone. Ambiguous diagnoses are refused with
/// their candidates. The same input gives the same patch, to the byte.
#[must_use]
pub fn propose(input: &ProposeInput<'_>) -> Proposal {
    let mut proposal = Proposal::default();
    let mut text = input.text.to_owned();
    let mut mended: Vec<Mended<'_>> = Vec::new();
    let mut diagnoses: Vec<&Diagnosis> = input.diagnoses.iter().collect();
    diagnoses.sort_by(|a, b| (rank(a.kind), &a.path, &a.id).cmp(&(rank(b.kind), &b.path, &b.id)));
    for diagnosis in diagnoses {
        if diagnosis.ambiguous && rank(diagnosis.kind) < 9 {
            proposal.refused.push((diagnosis.id.clone(), ambiguous(diagnosis)));
            continue;
        }
        let (edits, caution) = match remedy(diagnosis) {
            Remedy::Edits(edits, caution) => (edits, caution),
            Remedy::Nothing => continue,
            Remedy::Refused(why) => {
                proposal.refused.push((diagnosis.id.clone(), why));
                continue;
            }
        };
        match apply(input.framework, &text, input.stream, &edits) {
            Ok((after, made)) => {
                text = after;
                mended.push(Mended { diagnosis, edits: made, caution });
            }
            Err(Refusal::AlreadyHandled(_)) => proposal.handled.push(diagnosis.id.clone()),
            Err(refusal) => proposal.refused.push((diagnosis.id.clone(), refusal.to_string())),
        }
    }
    if !mended.is_empty() && text != input.text {
        proposal.patch = Some(patch(input, text, &mended));
    }
    proposal
}

/// The patch for the one reading that a person chose; always one to review.
///
/// # Errors
/// [`Refusal`] where the path is no candidate, or no edit reaches it.
pub fn propose_with_choice(input: &ChooseInput<'_>) -> Result<Patch, Refusal> {
    let of_candidate = input.diagnosis.candidates.iter().find(|candidate| candidate.path == *input.candidate);
    if of_candidate.is_none() && !input.diagnosis.to.contains(input.candidate) {
        return Err(Refusal::Cannot(format!(
            "`{}` is no candidate of this diagnosis; candidates are {}",
            input.candidate,
            listed(input.diagnosis)
        )));
    }
    let mut chosen = input.diagnosis.clone();
    if chosen.to.first() != Some(input.candidate) {
        // What is said of the content was said of another reading.
        chosen.detail = crate::model::Facts::new();
    }
    chosen.to = vec![input.candidate.clone()];
    chosen.ambiguous = false;
    chosen.confidence = of_candidate.map_or(chosen.confidence, |candidate| candidate.score);
    let proposal = propose(&ProposeInput {
        subject: input.subject,
        diagnoses: std::slice::from_ref(&chosen),
        framework: input.framework,
        path: input.path,
        label: input.label,
        text: input.text,
        stream: input.stream,
        created: input.created,
    });
    match (proposal.patch, proposal.refused.into_iter().next()) {
        (Some(mut patch), _) => {
            patch.disposition = Disposition::Review;
            patch.caution = Some(format!("a person chose `{}` among several readings", input.candidate));
            Ok(patch)
        }
        (None, Some((_, why))) => Err(Refusal::Cannot(why)),
        (None, None) => Err(Refusal::AlreadyHandled(format!("`{}` is read already", input.candidate))),
    }
}

/// All edits of one diagnosis, or none of them. Of several, one that is there already is passed over.
fn apply(
    framework: Framework,
    text: &str,
    stream: &str,
    edits: &[Edit],
) -> Result<(String, Vec<Edit>), Refusal> {
    let mut text = text.to_owned();
    let mut made = Vec::new();
    let mut handled = None;
    for edit in edits {
        match adapters::edit(framework, &text, stream, edit) {
            Ok(after) => {
                text = after;
                made.push(edit.clone());
            }
            Err(refusal @ Refusal::AlreadyHandled(_)) => handled = Some(refusal),
            Err(refusal) => return Err(refusal),
        }
    }
    match handled {
        Some(refusal) if made.is_empty() => Err(refusal),
        _ => Ok((text, made)),
    }
}

/// Structure comes first: what follows is about the fields where they are then. From 9 on there is nothing to edit.
const fn rank(kind: DiagnosisKind) -> u8 {
    use DiagnosisKind as D;
    match kind {
        D::EndpointMoved => 0,
        D::EnvelopeChanged => 1,
        D::Renamed | D::Moved => 2,
        D::Retyped => 3,
        D::Reformatted => 4,
        D::CaseChanged | D::EnumChanged => 5,
        D::Rescaled | D::SignFlipped => 6,
        D::Removed | D::Split | D::Merged | D::Swapped | D::IdSchemeChanged => 7,
        _ => 9,
    }
}

fn ambiguous(diagnosis: &Diagnosis) -> String {
    if diagnosis.candidates.is_empty() {
        return "the evidence is too thin for one reading: a person decides".to_owned();
    }
    format!("several readings fit, a person picks one: {}", listed(diagnosis))
}

fn listed(diagnosis: &Diagnosis) -> String {
    let one = |candidate: &crate::model::Candidate| format!("`{}` ({:.2})", candidate.path, candidate.score);
    diagnosis.candidates.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn patch(input: &ProposeInput<'_>, after: String, mended: &[Mended<'_>]) -> Patch {
    let file = FilePatch::new(input.path.to_owned(), input.label, input.text, after);
    let files = vec![file];
    let stream =
        adapters::read(input.framework, input.text).ok().and_then(|m| m.stream(input.stream).cloned());
    let mut cautions: Vec<String> = Vec::new();
    for one in mended {
        for caution in caution(one, stream.as_ref()) {
            if !cautions.contains(&caution) {
                cautions.push(caution);
            }
        }
    }
    let (connector, stream) = (&input.subject.connector, &input.subject.stream);
    Patch {
        id: Patch::id_of(connector, stream, &files),
        connector: connector.clone(),
        stream: stream.clone(),
        diagnoses: mended.iter().map(|one| one.diagnosis.id.clone()).collect(),
        summary: summary(mended),
        files,
        confidence: mended.iter().map(|one| one.diagnosis.confidence).fold(1.0, f64::min),
        disposition: if cautions.is_empty() { Disposition::Safe } else { Disposition::Review },
        caution: (!cautions.is_empty()).then(|| cautions.join("; ")),
        state: PatchState::Proposed,
        verification: None,
        created: input.created,
    }
}

/// Why a person should look at an edit, where one should: only renames, moves and casts of plain fields are safe.
fn caution(one: &Mended<'_>, stream: Option<&MappedStream>) -> Vec<String> {
    let mut cautions: Vec<String> = one.caution.clone().into_iter().collect();
    let path = &one.diagnosis.path;
    if let Some(stream) = stream {
        // A key may be read at several places; each of them counts.
        let same_column = |key: &FieldPath| {
            let fields = stream.fields.iter().filter(|field| field.sources.contains(key));
            fields
                .flat_map(|field| &field.sources)
                .chain([key])
                .any(|s| s.starts_with(path) || path.starts_with(s))
        };
        if stream.primary_key.iter().any(same_column) {
            cautions.push(format!(
                "`{path}` is part of the primary key: rows may no longer match those of before"
            ));
        }
        if stream.cursor.as_ref().is_some_and(same_column) {
            cautions.push(format!("`{path}` is the cursor: incremental reading goes by it"));
        }
    }
    if one.diagnosis.confidence < SURE {
        cautions.push(format!("the reading is {:.0} % sure", one.diagnosis.confidence * 100.0));
    }
    cautions
}

/// What the edits do, in one sentence.
fn summary(mended: &[Mended<'_>]) -> String {
    let parts: Vec<String> = mended.iter().flat_map(|one| &one.edits).map(sentence).collect();
    match parts.as_slice() {
        [one, two, three, rest @ ..] if !rest.is_empty() => {
            format!("{one}; {two}; {three}; and {} more", rest.len())
        }
        parts => parts.join("; "),
    }
}

fn sentence(edit: &Edit) -> String {
    let listed =
        |types: &[crate::model::JsonType]| types.iter().map(|t| t.word()).collect::<Vec<_>>().join(" or ");
    match edit {
        Edit::Reroute { from, to, .. } => format!("read `{to}`, and `{from}` where it is not there"),
        Edit::Recast { path, types } => format!("turn `{path}` back into {}", listed(types)),
        Edit::Reformat { path, old, new, .. } => {
            format!("write `{path}` as {} again, where it comes as {}", old.word(), new.word())
        }
        Edit::Rescale { path, factor, .. } => format!("multiply `{path}` by {factor}"),
        Edit::Recase { path, case: Case::Lower } => format!("write `{path}` in lower case again"),
        Edit::Recase { path, case: Case::Upper } => format!("write `{path}` in upper case again"),
        Edit::Reword { path, words } => {
            format!("put the old words of `{path}` in place of {} new ones", words.len())
        }
        Edit::Records { from, to } => format!("look for records at `{to}` instead of `{from}`"),
        Edit::Endpoint { from, to } => format!("ask `{to}` instead of `{from}`"),
    }
}
