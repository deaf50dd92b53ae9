//! Sends one request and reads its response, within limits.

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderMap, Method};
use url::Url;

use super::{
    Hop, HttpSettings, NetError, SendError,
    error::explain,
    guard::Guard,
    redact,
    redirect::{self, Step},
    tls,
};
use crate::model::TransportError;

/// All headers of a response together; the largest seen in the wild are below 20 kB.
const MAX_HEADERS: usize = 64 * 1024;

/// The only HTTP client; cheap to clone, and clones share its connections.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: reqwest::Client,
    guard: Arc<Guard>,
    timeout: Duration,
    max_body: u64,
    max_redirects: u8,
}

/// Whether redirects are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Redirects {
    /// As far as `http.max_redirects` goes.
    Follow,
    /// Never; a redirect is the answer. For whatever carries a secret in its body, such as webhooks and sign-in.
    #[default]
    Never,
}

/// One request.
#[derive(Clone)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: Method,
    /// The whole address.
    pub url: Url,
    /// Headers; those marked sensitive, and those with the name of a secret, stay with the host.
    pub headers: HeaderMap,
    /// Query parameters that carry a secret.
    pub secret_params: Vec<String>,
    /// The body.
    pub body: Option<Vec<u8>>,
    /// A limit for the response below that of the settings.
    pub max_body: Option<u64>,
    /// Whether redirects are followed.
    pub redirects: Redirects,
}

/// A whole response.
#[derive(Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers as they came.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Vec<u8>,
    /// The address that answered, after redirects.
    pub url: Url,
    /// The redirects that led there.
    pub hops: Vec<Hop>,
}

impl Request {
    /// A `GET` that follows redirects.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            secret_params: Vec::new(),
            body: None,
            max_body: None,
            redirects: Redirects::Follow,
        }
    }

    /// A `POST` that follows no redirects.
    #[must_use]
    pub fn post(url: Url, body: Vec<u8>) -> Self {
        Self { method: Method::POST, body: Some(body), redirects: Redirects::Never, ..Self::get(url) }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &redact::url(&self.url, &self.secret_params))
            .field("headers", &redact::headers(&self.headers))
            .field("body_bytes", &self.body.as_ref().map(Vec::len))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("url", &redact::url(&self.url, &[]))
            .field("headers", &redact::headers(&self.headers))
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl HttpClient {
    /// A client of these settings.
    ///
    /// # Errors
    /// Where a file cannot be read, or the proxy's address cannot be used.
    pub fn new(settings: &HttpSettings) -> Result<Self, NetError> {
        tls::install_tls();
        let proxy = settings.proxy.as_deref().map(proxy).transpose()?;
        let guard = Arc::new(Guard::new(
            settings.allow_private.clone(),
            proxy.as_ref().and_then(|(url, _)| url.host_str().map(str::to_owned)),
        ));
        let authorities = tls::authorities(settings)?;
        let identity = tls::identity(settings)?;
        let builder = || {
            let mut builder = reqwest::Client::builder()
                // Environment proxies would take the request past the guard.
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .dns_resolver(Arc::clone(&guard))
                .user_agent(&settings.user_agent)
                .connect_timeout(settings.connect_timeout.duration())
                .pool_idle_timeout(Duration::from_secs(30))
                .http2_max_header_list_size(MAX_HEADERS as u32);
            if let Some((_, proxy)) = &proxy {
                builder = builder.proxy(proxy.clone());
            }
            if let Some(identity) = &identity {
                builder = builder.identity(identity.clone());
            }
            builder
        };
        // A machine without any authority of its own (a bare container) still serves plain http and `ca_file`.
        let client = builder()
            .tls_certs_merge(authorities.clone())
            .build()
            .or_else(|_| builder().tls_certs_only(authorities).build())
            .map_err(|error| NetError::Build(build_message(&error)))?;
        Ok(Self {
            client,
            guard,
            timeout: settings.timeout.duration(),
            max_body: settings.max_body.0,
            max_redirects: settings.max_redirects,
        })
    }

    /// The most bytes of a body, by the settings; for files that stand in place of an address.
    #[must_use]
    pub const fn max_body(&self) -> u64 {
        self.max_body
    }

    /// Sends a request and reads the whole response, redirects and all, within the time limit.
    ///
    /// # Errors
    /// Where no whole response came; a status such as 500 is no error here.
    pub async fn send(&self, request: Request) -> Result<Response, SendError> {
        let host = host(&request.url);
        let Ok(result) = tokio::time::timeout(self.timeout, self.follow(request)).await else {
            let message = format!("no whole answer from `{host}` within {} s", self.timeout.as_secs_f64());
            return Err(SendError::new(TransportError::Timeout, message));
        };
        result
    }

    async fn follow(&self, mut request: Request) -> Result<Response, SendError> {
        let mut hops = Vec::new();
        let mut visited = Vec::new();
        loop {
            let response = self.ask(&request).await?;
            let status = response.status().as_u16();
            let step = match request.redirects {
                Redirects::Never => Step::Answer,
                Redirects::Follow => {
                    redirect::step(&request, status, response.headers(), &visited, self.max_redirects)?
                }
            };
            match step {
                Step::Answer => return self.read(request, response, hops).await,
                Step::Follow(next) => {
                    hops.push(Hop { status, to: redact::url(&next.url, &next.secret_params) });
                    visited.push(request.url);
                    request = *next;
                }
            }
        }
    }

    async fn ask(&self, request: &Request) -> Result<reqwest::Response, SendError> {
        let host = host(&request.url);
        if !matches!(request.url.scheme(), "http" | "https") {
            return Err(SendError::new(TransportError::Forbidden, "only http and https are spoken"));
        }
        if !request.url.username().is_empty() || request.url.password().is_some() {
            let message = format!("the address at `{host}` holds credentials; give them under `auth`");
            return Err(SendError::new(TransportError::Forbidden, message));
        }
        self.guard
            .check(&request.url)
            .map_err(|error| SendError::new(TransportError::Forbidden, error.to_string()))?;
        let mut builder =
            self.client.request(request.method.clone(), request.url.clone()).headers(request.headers.clone());
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let response = builder.send().await.map_err(|error| explain(&error, &host))?;
        let size: usize = response.headers().iter().map(|(n, v)| n.as_str().len() + v.len()).sum();
        if size > MAX_HEADERS {
            let message = format!("the headers from `{host}` are over {MAX_HEADERS} bytes");
            return Err(SendError::new(TransportError::TooLarge, message).at(response.status().as_u16()));
        }
        Ok(response)
    }

    /// Reads a body piece by piece and gives up at the limit: a compressed bomb costs no more than that.
    async fn read(
        &self,
        request: Request,
        mut response: reqwest::Response,
        hops: Vec<Hop>,
    ) -> Result<Response, SendError> {
        let host = host(&request.url);
        let status = response.status().as_u16();
        let limit = request.max_body.map_or(self.max_body, |limit| limit.min(self.max_body));
        let too_large = || {
            let message = format!("the body from `{host}` is over {limit} bytes; see `http.max_body`");
            SendError::new(TransportError::TooLarge, message).at(status)
        };
        if response.content_length().is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error, &host).at(status))? {
            if (body.len() + chunk.len()) as u64 > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, headers: std::mem::take(response.headers_mut()), body, url: request.url, hops })
    }
}

fn host(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => "?".to_owned(),
    }
}

fn proxy(text: &str) -> Result<(Url, reqwest::Proxy), NetError> {
    let url =
        Url::parse(text).map_err(|_| NetError::Proxy("write `http://host:port` or `socks5://host:port`"))?;
    if !matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h") {
        return Err(NetError::Proxy("its scheme must be http, https, socks5 or socks5h"));
    }
    if url.host_str().is_none() {
        return Err(NetError::Proxy("it names no host"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(NetError::Proxy(
            "a config is no place for its password; let a proxy on this host sign in to it",
        ));
    }
    let proxy = reqwest::Proxy::all(text).map_err(|_| NetError::Proxy("write `http://host:port`"))?;
    Ok((url, proxy))
}

fn build_message(error: &reqwest::Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    redact::text(&cause.unwrap_or_else(|| "the HTTP library refuses these settings".to_owned()))
}
