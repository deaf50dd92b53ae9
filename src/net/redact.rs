//! Takes secrets out of whatever leaves: addresses, headers, error texts.
//!
//! Three nets, one behind the other: names that carry secrets (`authorization`, `api_key` …), shapes of well-known
//! tokens (`ghp_…`, `AKIA…`, JWT …), and, through [`Redactor`], the very values that are in use.

use std::sync::LazyLock;

use http::HeaderMap;
use regex::Regex;
use url::Url;

use crate::model::Secret;

/// What stands in a secret's place.
pub const SECRET: &str = "<secret>";

/// Texts longer than this are cut before they are looked through: messages are short, and the cost stays bounded.
const MAX_TEXT: usize = 16 * 1024;

/// Whether a header, parameter or member of that name carries a secret.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let whole = [
        "auth",
        "key",
        "pwd",
        "pass",
        "sig",
        "sid",
        "code",
        "xauth",
        "xkey",
        "session",
        "appid",
        "assertion",
    ];
    let plain = plain_name(name);
    has_secret_part(&plain) || whole.contains(&plain.as_str())
}

/// The name without signs, in lower case.
fn plain_name(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether a name speaks of a secret beyond doubt; `key` and `code` do so in an address, but not in a sentence.
fn has_secret_part(name: &str) -> bool {
    // Counters of tokens, as language-model APIs send them, and cursors are no secrets.
    let harmless = ["pagetoken", "nexttoken", "continuationtoken", "tokentype", "tokenlimit", "maxtokens"];
    if harmless.iter().any(|word| name.ends_with(word)) || name.contains("ratelimit") {
        return false;
    }
    let parts = [
        "authorization",
        "cookie",
        "apikey",
        "accesskey",
        "token",
        "password",
        "passwd",
        "passphrase",
        "secret",
        "signature",
        "credential",
        "privatekey",
        "sessionid",
        "subscriptionkey",
        "jwt",
        "bearer",
    ];
    parts.iter().any(|part| name.contains(part))
}

/// An address with secret parameters as `<secret>`.
#[must_use]
pub fn url(url: &Url, secret_params: &[String]) -> String {
    let mut shown = url.clone();
    if !shown.username().is_empty() || shown.password().is_some() {
        // Neither call fails on an address that has a user name.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
    }
    shown.set_query(None);
    shown.set_fragment(None);
    let mut out = text(shown.as_str());
    let mut sign = '?';
    for (name, value) in url.query_pairs() {
        let value = if secret_params.iter().any(|secret| *secret == name) || is_secret_name(&name) {
            SECRET.to_owned()
        } else {
            let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            if text(&value) == value { encoded } else { SECRET.to_owned() }
        };
        out.push(sign);
        out.push_str(&text(&name));
        out.push('=');
        out.push_str(&value);
        sign = '&';
    }
    out
}

/// Headers, names in lower case, secret values as `<secret>`.
#[must_use]
pub fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let shown = if value.is_sensitive() || is_secret_name(name.as_str()) {
                SECRET.to_owned()
            } else {
                text(&String::from_utf8_lossy(value.as_bytes()))
            };
            (name.as_str().to_owned(), shown)
        })
        .collect()
}

/// A text with whatever looks like a secret as `<secret>`.
#[must_use]
pub fn text(text: &str) -> String {
    let text = cut(text);
    let text = SHAPES.replace_all(text, SECRET);
    let text = USERINFO.replace_all(&text, "${1}<secret>@");
    let text = PAIRS.replace_all(&text, |found: &regex::Captures<'_>| {
        let (Some(all), Some(name), Some(value)) = (found.get(0), found.get(1), found.get(2)) else {
            return SECRET.to_owned();
        };
        if has_secret_part(&plain_name(name.as_str())) {
            let before = value.start() - all.start();
            let after = value.end() - all.start();
            format!("{}{SECRET}{}", &all.as_str()[..before], &all.as_str()[after..])
        } else {
            all.as_str().to_owned()
        }
    });
    text.into_owned()
}

fn cut(text: &str) -> &str {
    if text.len() <= MAX_TEXT {
        return text;
    }
    &text[..text.floor_char_boundary(MAX_TEXT)]
}

/// Shapes of well-known tokens; after gitleaks, keyword first, so that the linear-time matcher can skip ahead.
static SHAPES: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?x-u)
        gh[pousr]_[0-9A-Za-z]{20,255} | github_pat_\w{22,255} | glpat-[\w-]{20,}
        | (?:sk|rk|pk)_(?:test|live|prod)_[0-9A-Za-z]{10,} | sk-[0-9A-Za-z_-]{20,} | whsec_[0-9A-Za-z+/=_-]{16,}
        | \b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b | AIza[\w-]{35} | ya29\.[\w.-]{20,}
        | xox[abeoprs]-[0-9A-Za-z-]{10,} | xapp-[0-9A-Za-z-]{10,}
        | hooks\.slack\.com/(?:services|workflows|triggers)/[\w/+-]+
        | \bey[JK][\w-]{10,}\.ey[\w-]{10,}\.[\w-]* | shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}
        | npm_[0-9A-Za-z]{36} | pypi-[\w-]{32,} | SG\.[\w-]{16,}\.[\w-]{16,} | hvs\.[\w-]{24,}
        | -----BEGIN[A-Z\ ]*PRIVATE\ KEY(?su:.)*?(?:-----END[A-Z\ ]*-----|$)
        | (?i:\b(?:bearer|basic))[\ ]+[0-9A-Za-z._~+/-]{12,}={0,2}",
    )
});

/// `name=value`, `name: value` and `"name": "value"`, the value without its quotes.
static PAIRS: LazyLock<Regex> = LazyLock::new(|| {
    regex(r#"(?-u)([A-Za-z_][\w.-]{1,60})["']?[ ]{0,3}[=:][ ]{0,3}["']?((?u:[^\s"'&;,<>{}\[\]`]){4,})"#)
});

/// `//user:password@`.
static USERINFO: LazyLock<Regex> = LazyLock::new(|| regex(r"(://)[^\s/?#@]{1,512}@"));

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns are constants, and a test compiles them")
}

/// Knows the secrets that are in use, and takes them out of a text whatever their shape.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Vec<String>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redactor({} secrets)", self.known.len())
    }
}

impl Redactor {
    /// Remembers a secret, also as it stands in an address.
    ///
    /// Ones of fewer than four characters are passed over: they would take ordinary words out of every message.
    pub fn add(&mut self, secret: &Secret) {
        let plain = secret.expose();
        let encoded: String = url::form_urlencoded::byte_serialize(plain.as_bytes()).collect();
        let percent = encoded.replace('+', "%20");
        for form in [plain.to_owned(), encoded, percent] {
            if form.len() >= 4 && !self.known.contains(&form) {
                self.known.push(form);
            }
        }
        // The longest first, so that no rest of one stays when another is a part of it.
        self.known.sort_by_key(|known| std::cmp::Reverse(known.len()));
    }

    /// Any text.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self::text(&self.known_out(text))
    }

    /// An address.
    #[must_use]
    pub fn url(&self, url: &Url, secret_params: &[String]) -> String {
        self.known_out(&self::url(url, secret_params))
    }

    /// Headers.
    #[must_use]
    pub fn headers(&self, headers: &HeaderMap) -> Vec<(String, String)> {
        self::headers(headers).into_iter().map(|(name, value)| (name, self.known_out(&value))).collect()
    }

    fn known_out(&self, text: &str) -> String {
        let mut out = cut(text).to_owned();
        for known in &self.known {
            if out.contains(known.as_str()) {
                out = out.replace(known.as_str(), SECRET);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_carry_secrets() {
        for name in [
            "Authorization",
            "X-Api-Key",
            "api_key",
            "access_token",
            "Set-Cookie",
            "client_secret",
            "key",
            "sig",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "page_token",
            "x-ratelimit-limit-tokens",
            "keyword",
            "author",
            "monkey",
            "www-authenticate",
            "link",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn shapes_in_running_text() {
        for secret in [
            "ghp_0123456789abcdefghijABCDEFGHIJ012345",
            "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
            "AKIAIOSFODNN7EXAMPLE",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0abc.sig-nature",
            "Bearer abcdefghijklmnop1234",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "xoxb-1234567890-abcdefghij",
        ] {
            let shown = text(&format!("the server said {secret} and left"));
            assert_eq!(shown, "the server said <secret> and left");
        }
        assert_eq!(
            text("at https://joe:pw@host/x?token=abcdef&page=2"),
            "at https://<secret>@host/x?token=<secret>&page=2"
        );
        assert_eq!(
            text(r#"{"password": "hunter2", "page": 2000}"#),
            r#"{"password": "<secret>", "page": 2000}"#
        );
        let challenge = r#"Bearer realm="api", error="invalid_token""#;
        assert_eq!(text(challenge), challenge);
    }

    #[test]
    fn addresses() {
        let address =
            Url::parse("https://h.example/v1?api_key=abc&since=2026-01-01T00%3A00%3A00Z&k=v").unwrap();
        assert_eq!(
            url(&address, &["k".to_owned()]),
            "https://h.example/v1?api_key=<secret>&since=2026-01-01T00%3A00%3A00Z&k=<secret>"
        );
    }

    #[test]
    fn values_in_use_whatever_their_shape() {
        let mut redactor = Redactor::default();
        redactor.add(&Secret::new("plain words +"));
        assert_eq!(redactor.text("a plain words + b plain+words+%2B c"), "a <secret> b <secret> c");
    }
}
