//! A local HTTP server that publishes a sequence again, by the date of a driven clock.

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::Sequence;
use crate::model::Clock;

/// A running server; it ends with this value.
#[derive(Debug)]
pub struct ReplayServer {
    /// Where the feed is: `http://127.0.0.1:PORT/SEQUENCE/latest.json`.
    pub url: String,
    task: tokio::task::JoinHandle<io::Result<()>>,
}

impl Drop for ReplayServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Feed {
    sequence: Arc<Sequence>,
    clock: Arc<dyn Clock>,
}

/// Serves the step whose date `clock` has reached, with its `ETag`, at `GET /SEQUENCE/latest.json`.
///
/// # Errors
/// Where no port is to be had.
pub async fn replay(sequence: Arc<Sequence>, clock: Arc<dyn Clock>) -> io::Result<ReplayServer> {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let url = format!("http://{}/{}/latest.json", listener.local_addr()?, sequence.id);
    let app =
        Router::new().route("/{sequence}/latest.json", get(latest)).with_state(Feed { sequence, clock });
    let task = tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(ReplayServer { url, task })
}

async fn latest(State(feed): State<Feed>, Path(id): Path<String>, request: HeaderMap) -> Response {
    if id != feed.sequence.id {
        return StatusCode::NOT_FOUND.into_response();
    }
    let step = feed.sequence.at(feed.clock.now());
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(etag) = HeaderValue::from_str(&step.etag) {
        headers.insert(header::ETAG, etag);
    }
    let known = request.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known == "*" || known.contains(&step.etag)) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, step.body.clone()).into_response()
}
