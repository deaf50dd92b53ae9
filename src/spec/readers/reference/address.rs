//! Operations as references name them: `GET /v1/orders`, in a heading, on a line of their own, or in a table of them.

/// Methods of HTTP that references document.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
/// No path of an API is longer.
const MAX_PATH: usize = 300;

/// An operation's method in lower case, its path with `{name}` for what varies, and the host where it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) server: Option<String>,
}

/// The operation in a heading: a method in capitals, and a path behind it.
pub(super) fn in_heading(heading: &str) -> Option<Address> {
    exact(heading).or_else(|| {
        let words: Vec<&str> = words(heading).collect();
        words.windows(2).find_map(|pair| address(pair[0], pair[1], false))
    })
}

/// The operation that a line is: method and path, with nothing behind them but what a sign parts from them.
pub(super) fn in_line(line: &str) -> Option<Address> {
    let line = line.trim().trim_start_matches(['-', '*', '+', '>', ' ']);
    let line = match line.split_once(": ") {
        Some((label, rest)) if label.len() <= 24 && !label.contains('/') => rest,
        _ => line,
    };
    exact(line).or_else(|| {
        let mut words = words(line);
        let found = address(words.next()?, words.next()?, false)?;
        let next = words.next()?;
        (matches!(next, "-" | "–" | "—" | ":" | "|") || next.starts_with("HTTP/")).then_some(found)
    })
}

/// The operation of cells or lines that hold a method and a path each.
pub(super) fn of_two(method: &str, path: &str) -> Option<Address> {
    let mut both = words(method).chain(words(path));
    let found = address(both.next()?, both.next()?, true)?;
    both.next().is_none().then_some(found)
}

/// The operation that a text is, and nothing else.
pub(super) fn exact(text: &str) -> Option<Address> {
    of_two(text, "")
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().map(|word| word.trim_matches(['`', '*', '"'])).filter(|word| !word.is_empty())
}

fn address(method: &str, place: &str, any_case: bool) -> Option<Address> {
    let method = method.trim_end_matches(':');
    let is_method =
        METHODS.contains(&method) || (any_case && METHODS.iter().any(|m| m.eq_ignore_ascii_case(method)));
    let place = place.trim_end_matches([',', ';', '.', ':']);
    let place = place.split(['?', '#']).next().unwrap_or_default();
    if !is_method || place.len() > MAX_PATH {
        return None;
    }
    let (server, path) = match place.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (Some(format!("{scheme}://{host}")).filter(|_| !host.is_empty()), path)
        }
        Some(_) => return None,
        None => (None, place),
    };
    let is_sign = |c: char| c.is_alphanumeric() || "/-_.~%@$*+!'(),;=&:{}<>[]".contains(c);
    if !(path.starts_with('/') || (path.is_empty() && server.is_some())) || !path.chars().all(is_sign) {
        return None;
    }
    let segments = path.split('/').filter(|segment| !segment.is_empty()).map(segment);
    let path = segments.fold(String::new(), |path, segment| format!("{path}/{segment}"));
    let path = if path.is_empty() { "/".to_owned() } else { path };
    Some(Address { method: method.to_ascii_lowercase(), path, server })
}

/// A segment with `{name}` for what varies, however that is written.
fn segment(segment: &str) -> String {
    let between = |open: char, close: char| segment.strip_prefix(open)?.strip_suffix(close);
    match segment.strip_prefix(':').or_else(|| between('<', '>')).or_else(|| between('[', ']')) {
        Some(name) if !name.is_empty() => format!("{{{name}}}"),
        _ => segment.replace("{{", "{").replace("}}", "}"),
    }
}

/// The names of what varies in a path.
pub(super) fn variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_named_in_many_ways() {
        let said = |found: Option<Address>| {
            found.map(|a| format!("{} {} {}", a.method, a.path, a.server.unwrap_or_default()))
        };
        for line in [
            "GET /v1/orders/:id",
            "`GET` `/v1/orders/{id}`",
            "get /v1/orders/<id>",
            "Endpoint: GET /v1/orders/{id}?x=1",
            "- `GET /v1/orders/{id}` – one order",
            "GET /v1/orders/{id} HTTP/1.1",
        ] {
            assert_eq!(said(in_line(line)).as_deref(), Some("get /v1/orders/{id} "), "{line}");
        }
        assert_eq!(
            said(in_line("GET https://api.x.com/v1/a")).as_deref(),
            Some("get /v1/a https://api.x.com")
        );
        assert_eq!(said(in_heading("List orders (GET) GET /orders")).as_deref(), Some("get /orders "));
        for line in [
            "GET /v1/orders will be removed",
            "get started",
            "Use GET /orders",
            "GET",
            "/v1/orders",
            "post /",
        ] {
            let found = in_line(line);
            assert!(found.is_none() || line == "post /", "{line}: {found:?}");
        }
    }
}
