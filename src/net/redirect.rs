//! Redirects: what is followed, and what a hop may take along.

use http::{HeaderMap, Method, header};
use url::Url;

use super::{Request, SendError, redact};
use crate::model::TransportError;

/// One redirect that was followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// 301, 302, 303, 307 or 308.
    pub status: u16,
    /// Where it led, safe to show.
    pub to: String,
}

/// What to do about a response.
pub(super) enum Step {
    /// It is the answer.
    Answer,
    /// Ask there.
    Follow(Box<Request>),
}

/// Reads a redirect. A `POST` is only repeated, by 307 and 308 on the same host: anything else would turn it into
/// another question, so the redirect itself is the answer then.
pub(super) fn step(
    request: &Request,
    status: u16,
    headers: &HeaderMap,
    visited: &[Url],
    max: u8,
) -> Result<Step, SendError> {
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Ok(Step::Answer);
    }
    let Some(location) = headers.get(header::LOCATION) else { return Ok(Step::Answer) };
    let from = request.url.host_str().unwrap_or_default();
    let refuse = |why: &str| {
        SendError::new(TransportError::Redirect, format!("refused a redirect from `{from}`: {why}"))
            .at(status)
    };
    let mut to = location
        .to_str()
        .ok()
        .and_then(|location| request.url.join(location).ok())
        .ok_or_else(|| refuse("its address cannot be read"))?;
    to.set_fragment(None);
    match (request.url.scheme(), to.scheme()) {
        ("https", "http") => return Err(refuse("it leads from https to http")),
        (_, "http" | "https") => {}
        (_, scheme) => {
            let scheme = redact::text(scheme);
            return Err(refuse(&format!("it leads to `{scheme}:`, which is neither http nor https")));
        }
    }
    if !to.username().is_empty() || to.password().is_some() {
        return Err(refuse("its address holds credentials"));
    }
    let same_host = is_same_host(&request.url, &to);
    let repeats = request.method == Method::GET || request.method == Method::HEAD;
    if !repeats && (!matches!(status, 307 | 308) || !same_host) {
        return Ok(Step::Answer);
    }
    if visited.contains(&to) || request.url == to {
        return Err(refuse("it leads in a circle"));
    }
    if visited.len() >= usize::from(max) {
        return Err(refuse(&format!("more than {max} in a row; see `http.max_redirects`")));
    }
    let mut next = request.clone();
    if !same_host {
        next.headers = without_secrets(&request.headers);
        drop_params(&mut to, &request.secret_params);
    }
    next.url = to;
    Ok(Step::Follow(Box::new(next)))
}

/// Whether secrets may go along: the same host and port, or the move from http to https on the usual ports.
fn is_same_host(from: &Url, to: &Url) -> bool {
    from.origin() == to.origin()
        || (from.host() == to.host()
            && (from.scheme(), to.scheme()) == ("http", "https")
            && from.port().is_none()
            && to.port().is_none())
}

fn without_secrets(headers: &HeaderMap) -> HeaderMap {
    headers
        .iter()
        .filter(|(name, value)| !value.is_sensitive() && !redact::is_secret_name(name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Takes parameters that we added out of an address that a server made of ours.
fn drop_params(url: &mut Url, names: &[String]) {
    if names.is_empty() || url.query().is_none() {
        return;
    }
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| !names.iter().any(|secret| secret == name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
}
