//! Routes: which receivers are told of a finding.

use crate::model::Severity;

use super::RouteSettings;

/// The route that decides for findings of this connector and severity: the first that matches both.
#[must_use]
pub fn route<'a>(
    routes: &'a [RouteSettings],
    connector: &str,
    severity: Severity,
) -> Option<&'a RouteSettings> {
    routes.iter().find(|route| {
        severity >= route.min_severity
            && (route.connectors.is_empty() || route.connectors.iter().any(|p| glob_matches(p, connector)))
    })
}

/// Whether `pattern`, in which `*` stands for any text, describes the whole of `text`.
#[must_use]
pub fn glob_matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(connectors: &[&str], min_severity: Severity, receiver: &str) -> RouteSettings {
        RouteSettings {
            connectors: connectors.iter().map(|&c| c.to_owned()).collect(),
            min_severity,
            receivers: vec![receiver.to_owned()],
            remind_every: None,
        }
    }

    #[test]
    fn the_first_match_decides() {
        let routes = [
            to(&["crm*", "billing"], Severity::Breaking, "pager"),
            to(&["crm*"], Severity::Warning, "mail"),
            to(&[], Severity::Warning, "rest"),
        ];
        let receiver =
            |connector, severity| route(&routes, connector, severity).map(|r| r.receivers[0].as_str());
        assert_eq!(receiver("crm_eu", Severity::Breaking), Some("pager"));
        assert_eq!(receiver("crm_eu", Severity::Warning), Some("mail"));
        assert_eq!(receiver("billing", Severity::Warning), Some("rest"));
        assert_eq!(receiver("billing", Severity::Info), None);
    }

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "crm", true),
            ("crm", "crm", true),
            ("crm", "crm2", false),
            ("c*m", "cm", true),
            ("a*ba", "aba", true),
            ("a*a", "a", false),
            ("*eu*prod", "crm-eu-prod", true),
            ("*eu*prod", "crm-prod-eu", false),
        ] {
            assert_eq!(glob_matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
