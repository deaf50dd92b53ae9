//! Webhooks: the report of the contract and what escalation adds, below 20 kB.

use serde_json::{Value, json};

use crate::model::{CompareKind, Compared, Escalation, Message, NotifyReason, Report, ReportSet, Side};

/// The Standard Webhooks specification asks for less than 20 kB.
const MAX_BODY: usize = 20_000;
const MAX_TEXT: usize = 600;
const MAX_DIFF: usize = 6_000;
/// More findings than could ever fit: the rest is counted without being serialised.
const MAX_FINDINGS: usize = 200;

/// The body that tells `message`; the same bytes on each attempt.
#[must_use]
pub fn webhook_body(message: &Message) -> Vec<u8> {
    let mut data = data_of(&message.escalation);
    clip(&mut data, "");
    let envelope = |data: &Value| {
        let body = json!({
            "type": type_of(message.escalation.reason),
            "timestamp": message.escalation.at,
            "data": data,
        });
        body.to_string().into_bytes()
    };
    let mut body = envelope(&data);
    while body.len() >= MAX_BODY {
        if !leave_one_out(&mut data, body.len() - MAX_BODY) {
            break;
        }
        body = envelope(&data);
    }
    body
}

const fn type_of(reason: NotifyReason) -> &'static str {
    match reason {
        NotifyReason::New => "drogue.finding.new",
        NotifyReason::Update => "drogue.finding.update",
        NotifyReason::Reminder => "drogue.finding.reminder",
        NotifyReason::Resolved => "drogue.finding.resolved",
        NotifyReason::Decided => "drogue.patch.decided",
    }
}

fn data_of(escalation: &Escalation) -> Value {
    let no_records = |side: &Side| side.records == 0;
    let docs_only =
        !escalation.docs.is_empty() && no_records(&escalation.baseline) && no_records(&escalation.live);
    let report = Report {
        version: 1,
        subject: escalation.subject.clone(),
        compared: Compared {
            kind: if docs_only { CompareKind::Docs } else { CompareKind::Records },
            baseline: escalation.baseline.clone(),
            live: escalation.live.clone(),
        },
        diagnoses: escalation.diagnoses.clone(),
        findings: escalation.findings.iter().take(MAX_FINDINGS).cloned().collect(),
        inconclusive: Vec::new(),
    };
    let set = ReportSet {
        version: 1,
        drogue: env!("CARGO_PKG_VERSION").to_owned(),
        reports: vec![report],
        unobserved: Vec::new(),
    };
    let patches: Vec<Value> = escalation
        .patches
        .iter()
        .map(|patch| {
            json!({
                "id": patch.id,
                "state": patch.state,
                "summary": patch.summary,
                "confidence": patch.confidence,
                "disposition": patch.disposition,
                "caution": patch.caution,
                "verification": patch.verification,
                "diff": patch.diff(),
            })
        })
        .collect();
    let docs: Vec<Value> =
        escalation.docs.iter().map(|(title, diff)| json!({"title": title, "diff": diff})).collect();
    let commands: Vec<Value> =
        escalation.commands.iter().map(|(command, what)| json!({"command": command, "what": what})).collect();
    let mut data = serde_json::to_value(set).unwrap_or_default();
    data["id"] = json!(escalation.id);
    data["incident"] = json!(escalation.thread);
    data["reason"] = json!(escalation.reason);
    data["since"] = json!(escalation.since);
    data["patches"] = json!(patches);
    data["docs"] = json!(docs);
    data["commands"] = json!(commands);
    let findings = escalation.findings.len().saturating_sub(MAX_FINDINGS);
    data["left_out"] = json!({"docs": 0, "findings": findings, "diagnoses": 0, "patches": 0, "commands": 0});
    data
}

/// Cuts every long text, so that one field name of 10,000 letters does not push out everything else.
fn clip(value: &mut Value, key: &str) {
    match value {
        Value::String(text) => {
            let max = if key == "diff" { MAX_DIFF } else { MAX_TEXT };
            if let Some((at, _)) = text.char_indices().nth(max) {
                let left = text[at..].chars().count();
                text.truncate(at);
                text.push_str(&format!("… ({left} characters left out)"));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|item| clip(item, key)),
        Value::Object(members) => members.iter_mut().for_each(|(key, item)| clip(item, key)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Takes at least one item away, the least needed first, and counts it; `false` where nothing is left to take.
fn leave_one_out(data: &mut Value, excess: usize) -> bool {
    for (pointer, name) in [
        ("/docs", "docs"),
        ("/reports/0/findings", "findings"),
        ("/patches", "patches"),
        ("/reports/0/diagnoses", "diagnoses"),
        ("/commands", "commands"),
    ] {
        let Some(Value::Array(list)) = data.pointer_mut(pointer) else { continue };
        // Several at a time: with 10,000 findings, one by one would serialise the rest 10,000 times.
        let (mut taken, mut bytes) = (0u64, 0);
        while bytes <= excess {
            let Some(item) = list.pop() else { break };
            bytes += item.to_string().len();
            taken += 1;
        }
        if taken > 0 {
            let before = data["left_out"][name].as_u64().unwrap_or_default();
            data["left_out"][name] = json!(before + taken);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;
    use crate::model::{FieldPath, Fingerprint};

    fn body(message: &Message) -> Value {
        let bytes = webhook_body(message);
        assert!(bytes.len() < MAX_BODY, "{}", bytes.len());
        serde_json::from_slice(&bytes).unwrap()
    }

    #[test]
    fn tells_the_whole_report() {
        let body = body(&fixtures::message());
        insta::assert_snapshot!(serde_json::to_string_pretty(&body).unwrap());
    }

    #[test]
    fn a_storm_stays_below_the_limit_and_is_counted() {
        let mut message = fixtures::message();
        let finding = message.escalation.findings[0].clone();
        message.escalation.findings = (0..10_000)
            .map(|n| {
                let mut finding = finding.clone();
                finding.fingerprint = Fingerprint(format!("{n:016x}"));
                finding.path = FieldPath::of_keys(["\u{0}".repeat(10_000).as_str()]);
                finding
            })
            .collect();
        message.escalation.patches[0].files[0].diff = "+\u{1}\u{2}\n".repeat(100_000);
        message.escalation.docs.push(("d".repeat(50_000), "+x\n".repeat(50_000)));
        let body = body(&message);
        let told = body["data"]["reports"][0]["findings"].as_array().unwrap().len() as u64;
        assert_eq!(told + body["data"]["left_out"]["findings"].as_u64().unwrap(), 10_000);
        assert!(!body["data"]["commands"].as_array().unwrap().is_empty());
    }
}
