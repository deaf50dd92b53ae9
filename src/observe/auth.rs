//! Signing in: puts credentials on requests, gets and renews OAuth 2.0 tokens.
//!
//! The token is kept in memory until shortly before it expires. A refresh token that is rotated goes back to its file
//! before it is used, so that a crash never loses the grant.

use std::{fmt, path::PathBuf};

use base64::Engine as _;
use http::{HeaderName, HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use url::Url;

use super::AuthSettings;
use crate::model::{Action, ErrorClass, Secret, SecretSource};
use crate::net::{Request, redact::Redactor};

/// Why a connector cannot sign in at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    /// A secret is missing.
    #[error("`auth.{key}` or `auth.{key}_file` is needed")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// A secret is there twice.
    #[error("give `auth.{key}` or `auth.{key}_file`, not both")]
    Twice {
        /// The key.
        key: &'static str,
    },
    /// A secret was not resolved.
    #[error("`auth.{key}` has no value")]
    Unresolved {
        /// The key.
        key: &'static str,
    },
    /// The API key has no place, or two.
    #[error("`auth` of type `api-key` needs `header` or `query`, one of them")]
    KeyPlace,
    /// Another setting cannot be used.
    #[error("`auth.{key}` cannot be used: {why}")]
    Unusable {
        /// The key.
        key: &'static str,
        /// What is wrong, without the value.
        why: &'static str,
    },
}

/// How a connector signs in, with the token that is in use; one for all its streams.
#[derive(Debug)]
pub struct SignIn {
    way: Way,
    /// Held while a token is fetched, so that streams that run at once fetch one token and not one each: a refresh
    /// token that rotates serves once.
    pub(super) state: tokio::sync::Mutex<TokenState>,
}

/// The tokens in use.
#[derive(Debug, Default)]
pub(super) struct TokenState {
    pub(super) token: Option<Token>,
    /// A refresh token that could not be written to its file.
    pub(super) unsaved: Option<Secret>,
}

enum Way {
    None,
    Header(HeaderName, HeaderValue, Vec<Secret>),
    Query(String, Secret),
    OAuth(Grant),
}

/// How tokens are got.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) token_url: Url,
    client_id: String,
    client_secret: Option<Secret>,
    scope: Option<String>,
    refresh: Option<Refresh>,
}

#[derive(Clone)]
struct Refresh {
    token: Secret,
    /// Where the next one goes.
    pub(super) file: Option<PathBuf>,
}

/// An access token.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) access: Secret,
    expires: Timestamp,
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Header(..) => "header",
            Self::Query(..) => "query",
            Self::OAuth(_) => "oauth2",
        })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token(until {})", self.expires)
    }
}

impl SignIn {
    /// The sign-in of these settings; secrets must have been resolved.
    ///
    /// # Errors
    /// Where a secret is missing, given twice, or cannot be sent.
    pub fn new(settings: &AuthSettings) -> Result<Self, SignInError> {
        let way = match settings {
            AuthSettings::None => Way::None,
            AuthSettings::Basic { username, password, password_file } => {
                let password = one("password", password.as_ref(), password_file.as_ref())?;
                let pair = format!("{username}:{}", password.expose());
                let pair = Secret::new(base64::engine::general_purpose::STANDARD.encode(pair));
                let value = sensitive("password", &format!("Basic {}", pair.expose()))?;
                Way::Header(header::AUTHORIZATION, value, vec![password, pair])
            }
            AuthSettings::Bearer { token, token_file } => {
                let token = one("token", token.as_ref(), token_file.as_ref())?;
                let value = sensitive("token", &format!("Bearer {}", token.expose()))?;
                Way::Header(header::AUTHORIZATION, value, vec![token])
            }
            AuthSettings::ApiKey { header, query, key, key_file } => {
                let key = one("key", key.as_ref(), key_file.as_ref())?;
                match (header, query) {
                    (Some(name), None) => {
                        let name = name.parse().map_err(|_| SignInError::Unusable {
                            key: "header",
                            why: "it is no header name",
                        })?;
                        Way::Header(name, sensitive("key", key.expose())?, vec![key])
                    }
                    (None, Some(name)) => Way::Query(name.clone(), key),
                    (None, None) | (Some(_), Some(_)) => return Err(SignInError::KeyPlace),
                }
            }
            AuthSettings::Oauth2ClientCredentials {
                token_url,
                client_id,
                client_secret,
                client_secret_file,
                scope,
            } => Way::OAuth(Grant {
                token_url: token_address(token_url)?,
                client_id: client_id.clone(),
                client_secret: Some(one(
                    "client_secret",
                    client_secret.as_ref(),
                    client_secret_file.as_ref(),
                )?),
                scope: scope.clone(),
                refresh: None,
            }),
            AuthSettings::Oauth2RefreshToken {
                token_url,
                client_id,
                client_secret,
                client_secret_file,
                refresh_token,
                refresh_token_file,
                scope,
            } => {
                let token = one("refresh_token", refresh_token.as_ref(), refresh_token_file.as_ref())?;
                let file = refresh_token_file.as_ref().and_then(|source| match source {
                    SecretSource::File { path, .. } => Some(path.clone()),
                    SecretSource::Env { .. } => None,
                });
                if file.is_none() {
                    return Err(SignInError::Unusable {
                        key: "refresh_token",
                        why: "a rotated token could not be kept; give `refresh_token_file`, with a grant of Drogue's own",
                    });
                }
                // A public client has no secret.
                let client_secret = if client_secret.is_none() && client_secret_file.is_none() {
                    None
                } else {
                    Some(one("client_secret", client_secret.as_ref(), client_secret_file.as_ref())?)
                };
                Way::OAuth(Grant {
                    token_url: token_address(token_url)?,
                    client_id: client_id.clone(),
                    client_secret,
                    scope: scope.clone(),
                    refresh: Some(Refresh { token, file }),
                })
            }
        };
        Ok(Self { way, state: tokio::sync::Mutex::default() })
    }

    /// How tokens are got, where they are.
    pub(super) const fn grant(&self) -> Option<&Grant> {
        match &self.way {
            Way::OAuth(grant) => Some(grant),
            Way::None | Way::Header(..) | Way::Query(..) => None,
        }
    }

    /// Gives up an access token that was refused, unless another stream has fetched a new one since.
    pub(super) async fn forget(&self, refused: &Secret) {
        let mut state = self.state.lock().await;
        if state.token.as_ref().is_some_and(|token| token.access == *refused) {
            state.token = None;
        }
    }

    /// Puts the credential on a request.
    pub(super) fn apply(&self, request: &mut Request, token: Option<&Secret>) {
        match &self.way {
            Way::None => {}
            Way::Header(name, value, _) => {
                request.headers.insert(name.clone(), value.clone());
            }
            Way::Query(name, key) => {
                super::request::set_param(&mut request.url, name, key.expose());
                request.secret_params.push(name.clone());
            }
            Way::OAuth(_) => {
                let value =
                    token.and_then(|token| sensitive("token", &format!("Bearer {}", token.expose())).ok());
                if let Some(value) = value {
                    request.headers.insert(header::AUTHORIZATION, value);
                }
            }
        }
    }

    /// A redactor that knows every secret in use but the access token.
    pub(super) fn redactor(&self) -> Redactor {
        let mut redactor = Redactor::default();
        match &self.way {
            Way::None => {}
            Way::Header(_, _, secrets) => secrets.iter().for_each(|secret| redactor.add(secret)),
            Way::Query(_, key) => redactor.add(key),
            Way::OAuth(grant) => {
                grant.client_secret.iter().for_each(|secret| redactor.add(secret));
                grant.refresh.iter().for_each(|refresh| redactor.add(&refresh.token));
            }
        }
        redactor
    }
}

impl Token {
    /// Whether it serves for another request.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.expires
    }
}

impl Grant {
    /// The file that holds the refresh token, where that is the way.
    pub(super) fn refresh_file(&self) -> Option<&PathBuf> {
        self.refresh.as_ref()?.file.as_ref()
    }

    /// The request for a token. The client signs in within the body, as most servers take it, or by Basic, as all
    /// must (RFC 6749, section 2.3.1).
    pub(super) fn request(&self, refresh: Option<&Secret>, basic: bool) -> Request {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        match refresh {
            Some(refresh) => {
                form.append_pair("grant_type", "refresh_token")
                    .append_pair("refresh_token", refresh.expose());
            }
            None => {
                form.append_pair("grant_type", "client_credentials");
            }
        }
        if let Some(scope) = &self.scope {
            form.append_pair("scope", scope);
        }
        let basic_value = self.client_secret.as_ref().filter(|_| basic).and_then(|secret| {
            let encode =
                |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", encode(&self.client_id), encode(secret.expose()));
            let pair = base64::engine::general_purpose::STANDARD.encode(pair);
            sensitive("client_secret", &format!("Basic {pair}")).ok()
        });
        if basic_value.is_none() {
            form.append_pair("client_id", &self.client_id);
            if let Some(secret) = &self.client_secret {
                form.append_pair("client_secret", secret.expose());
            }
        }
        let mut request = Request::post(self.token_url.clone(), form.finish().into_bytes());
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers.insert(header::CONTENT_TYPE, form_type);
        request.headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(value) = basic_value {
            request.headers.insert(header::AUTHORIZATION, value);
        }
        // Tokens are small; whatever is larger is no answer.
        request.max_body = Some(64 * 1024);
        request
    }

    /// Whether there is a client secret that could be sent another way.
    pub(super) const fn has_client_secret(&self) -> bool {
        self.client_secret.is_some()
    }
}

/// What a token endpoint said.
pub(super) enum TokenAnswer {
    /// A token, and the next refresh token where it rotates.
    Token(Token, Option<Secret>),
    /// The client itself was not accepted; it may be so when it signs in another way.
    InvalidClient,
    /// No.
    Refused(ErrorClass, Action, String),
}

#[derive(Deserialize)]
struct TokenBody {
    access_token: Option<String>,
    #[serde(default)]
    expires_in: Option<serde_json::Value>,
    refresh_token: Option<String>,
    error: Option<serde_json::Value>,
}

/// Reads the answer of a token endpoint. Of its texts only the codes of RFC 6749 are taken over.
pub(super) fn read_token(status: u16, body: &[u8], now: Timestamp) -> TokenAnswer {
    let read = serde_json::from_slice::<TokenBody>(body).ok();
    let code = read.as_ref().and_then(|body| body.error.as_ref()?.as_str().map(str::to_owned));
    if (200..300).contains(&status)
        && let Some(TokenBody { access_token: Some(access), expires_in, refresh_token, .. }) = read
        && !access.is_empty()
        && HeaderValue::from_str(&access).is_ok()
    {
        // Some servers write the number as a string. Without one, an hour is what most mean.
        let seconds = expires_in
            .and_then(|value| value.as_f64().or_else(|| value.as_str()?.parse().ok()))
            .map_or(3_600, |seconds| seconds.clamp(0.0, 31_536_000.0) as i64);
        // Renewed a minute early, or a tenth of its life where that is less, as clocks differ and requests take time.
        let life = SignedDuration::from_secs(seconds - (seconds / 10).min(60));
        let token = Token { access: Secret::new(access), expires: now.checked_add(life).unwrap_or(now) };
        return TokenAnswer::Token(token, refresh_token.filter(|text| !text.is_empty()).map(Secret::new));
    }
    match (status, code.as_deref()) {
        (_, Some("invalid_grant")) => TokenAnswer::Refused(
            ErrorClass::AuthExpired,
            Action::Stop,
            "the token endpoint says `invalid_grant`: the refresh token has expired or was revoked; make a new grant"
                .to_owned(),
        ),
        (_, Some("invalid_client")) => TokenAnswer::InvalidClient,
        (401, None) => TokenAnswer::InvalidClient,
        (_, Some(code @ ("unauthorized_client" | "unsupported_grant_type" | "invalid_scope" | "invalid_request"))) => {
            let detail = format!("the token endpoint says `{code}`");
            TokenAnswer::Refused(ErrorClass::AuthInvalid, Action::Stop, detail)
        }
        (429, _) => TokenAnswer::Refused(
            ErrorClass::RateLimited,
            Action::Wait,
            "the token endpoint answered 429: too many requests".to_owned(),
        ),
        (500.., _) => TokenAnswer::Refused(
            ErrorClass::Outage,
            Action::Wait,
            format!("the token endpoint answered {status}"),
        ),
        (200..300, _) => TokenAnswer::Refused(
            ErrorClass::AuthChanged,
            Action::Stop,
            "the token endpoint answered without an access token".to_owned(),
        ),
        (..) => TokenAnswer::Refused(
            ErrorClass::AuthInvalid,
            Action::Stop,
            format!("the token endpoint answered {status}"),
        ),
    }
}

fn one(
    key: &'static str,
    inline: Option<&SecretSource>,
    file: Option<&SecretSource>,
) -> Result<Secret, SignInError> {
    let source = match (inline, file) {
        (Some(source), None) | (None, Some(source)) => source,
        (None, None) => return Err(SignInError::Missing { key }),
        (Some(_), Some(_)) => return Err(SignInError::Twice { key }),
    };
    source
        .value()
        .filter(|secret| !secret.expose().is_empty())
        .cloned()
        .ok_or(SignInError::Unresolved { key })
}

fn sensitive(key: &'static str, text: &str) -> Result<HeaderValue, SignInError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| SignInError::Unusable {
        key,
        why: "it holds a sign that no header may carry, such as a line end",
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn token_address(text: &str) -> Result<Url, SignInError> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or(SignInError::Unusable { key: "token_url", why: "it is no http or https address" })
}
