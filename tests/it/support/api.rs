//! A fake API on a free port of loopback, scripted by a closure, that can misbehave in every way a server can.
//!
//! It speaks just enough HTTP/1.1 by hand, as no well-behaved server library would lie about a length, reset a
//! connection in the middle of a body or drip it byte by byte.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A running server; it ends when dropped.
pub(crate) struct Api {
    pub(crate) addr: SocketAddr,
    scheme: &'static str,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// How many came before it.
    pub(crate) number: usize,
    pub(crate) method: String,
    /// Path and query, or the whole address when a proxy is asked.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub(crate) fn param(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?')?.1;
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
    }
}

/// What the server says.
#[derive(Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    manner: Manner,
}

/// How it says it.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    /// As it should be.
    Whole,
    /// Resets the connection after so many bytes of the body.
    ResetAfter(usize),
    /// Declares another length than the body has, then closes.
    DeclaredLength(usize),
    /// Chunked, closed before the last chunk.
    ChunkedCut,
    /// One byte, then a pause of that long, and so on.
    Drip(Duration),
    /// Nothing at all.
    Silent,
}

impl Reply {
    pub(crate) fn json(value: &serde_json::Value) -> Self {
        Self::bytes("application/json", value.to_string().into_bytes())
    }

    pub(crate) fn text(content_type: &str, body: &str) -> Self {
        Self::bytes(content_type, body.as_bytes().to_vec())
    }

    pub(crate) fn bytes(content_type: &str, body: Vec<u8>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status: 200, headers, body, manner: Manner::Whole }
    }

    pub(crate) fn redirect(status: u16, to: &str) -> Self {
        Self::text("text/plain", "").status(status).header("location", to)
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn manner(mut self, manner: Manner) -> Self {
        self.manner = manner;
        self
    }
}

impl Api {
    /// A server that answers each request by `script`.
    pub(crate) async fn start(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(script, None).await
    }

    /// The same behind TLS.
    pub(crate) async fn start_tls(
        config: rustls::ServerConfig,
        script: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::serve(script, Some(tokio_rustls::TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn serve(
        script: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
        tls: Option<tokio_rustls::TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (script, log) = (Arc::new(script), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            let mut running = tokio::task::JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (script, log, tls) = (Arc::clone(&script), Arc::clone(&log), tls.clone());
                running.spawn(async move {
                    match tls {
                        None => answer(stream, &*script, &log).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => answer(stream, &*script, &log).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { addr, scheme, seen, task }
    }

    /// The whole address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.addr)
    }

    /// The same by the name `localhost`.
    pub(crate) fn localhost(&self, path: &str) -> String {
        format!("{}://localhost:{}{path}", self.scheme, self.addr.port())
    }

    /// Every request so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the kinds of connection have in common.
trait Line: AsyncRead + AsyncWrite + Unpin + Send {
    fn reset(&self) {}
}
impl Line for TcpStream {
    fn reset(&self) {
        // With a linger of zero, closing sends RST in place of FIN.
        #[expect(
            deprecated,
            reason = "a linger of zero never blocks, which is what the deprecation warns of"
        )]
        self.set_linger(Some(Duration::ZERO)).unwrap();
    }
}
impl Line for tokio_rustls::server::TlsStream<TcpStream> {}

async fn answer(
    mut line: impl Line,
    script: &(impl Fn(&Seen) -> Reply + Send + Sync),
    log: &Mutex<Vec<Seen>>,
) -> Option<()> {
    let request = read_request(&mut line, log).await?;
    let reply = script(&request);
    let mut head = format!("HTTP/1.1 {} X\r\nconnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match reply.manner {
        Manner::Silent => std::future::pending().await,
        Manner::ChunkedCut => {
            head.push_str("transfer-encoding: chunked\r\n\r\n");
            line.write_all(head.as_bytes()).await.ok()?;
            line.write_all(format!("{:x}\r\n", reply.body.len()).as_bytes()).await.ok()?;
            line.write_all(&reply.body).await.ok()?;
            line.write_all(b"\r\n").await.ok()?;
        }
        manner => {
            let length = if let Manner::DeclaredLength(length) = manner { length } else { reply.body.len() };
            head.push_str(&format!("content-length: {length}\r\n\r\n"));
            line.write_all(head.as_bytes()).await.ok()?;
            match manner {
                Manner::ResetAfter(bytes) => {
                    line.write_all(&reply.body[..bytes]).await.ok()?;
                    line.flush().await.ok()?;
                    // The client reads these bytes first; the reset would overtake them.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    line.reset();
                    return None;
                }
                Manner::Drip(pause) => {
                    for byte in reply.body {
                        line.write_all(&[byte]).await.ok()?;
                        line.flush().await.ok()?;
                        tokio::time::sleep(pause).await;
                    }
                }
                _ => line.write_all(&reply.body).await.ok()?,
            }
        }
    }
    line.shutdown().await.ok()
}

async fn read_request(line: &mut impl Line, log: &Mutex<Vec<Seen>>) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end + 4;
        }
        if line.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().unwrap());
    while bytes.len() < end + length {
        if line.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8_lossy(&bytes[end..]).into_owned();
    let mut log = log.lock().unwrap();
    let seen = Seen { number: log.len(), method, target, headers, body };
    log.push(seen.clone());
    Some(seen)
}

/// A gzip stream of so many MB of zeros, made of about a thousandth of that: 1 MB compressed once, its block repeated.
pub(crate) fn gzip_bomb(megabytes: usize) -> Vec<u8> {
    let mut deflate = flate2::Compress::new(flate2::Compression::best(), false);
    let mut compress = || {
        let mut block = Vec::with_capacity(8_192);
        deflate.compress_vec(&vec![0; 1 << 20], &mut block, flate2::FlushCompress::Sync).unwrap();
        block
    };
    // The first block has a literal zero; the second only repeats what is before it, so it can follow itself.
    let (first, again) = (compress(), compress());
    let mut bomb = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    bomb.extend(first);
    (1..megabytes).for_each(|_| bomb.extend_from_slice(&again));
    bomb
}

/// A body in gzip.
pub(crate) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, body).unwrap();
    encoder.finish().unwrap()
}

/// A body in brotli, by its uncompressed meta-block (RFC 7932, section 9.2), so that no encoder is needed.
pub(crate) fn brotli(body: &[u8]) -> Vec<u8> {
    assert!((1..=1 << 16).contains(&body.len()));
    // WBITS 16, ISLAST 0, MNIBBLES 4, MLEN - 1 in 16 bits, ISUNCOMPRESSED 1.
    let head = ((body.len() as u32 - 1) << 4) | (1 << 20);
    let mut out = head.to_le_bytes()[..3].to_vec();
    out.extend_from_slice(body);
    out.push(0b11);
    out
}
