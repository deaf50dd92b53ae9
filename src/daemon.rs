//! `drogue watch`: the schedule, the outbox and `/healthz` in one process; reload on SIGHUP, a graceful stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::clock::SystemClock;
use crate::config::{Config, LoadedConfig};
use crate::engine::{Checked, Engine, Outcome, Run};
use crate::model::Severity;

/// What `/healthz` answers.
#[derive(Debug, Clone, Serialize)]
struct Health {
    /// `ok`, or what is wrong.
    status: String,
    /// The version that runs.
    version: &'static str,
    /// Why the last reload was refused, where it was; the config before it goes on.
    reload_refused: Option<String>,
    /// Streams under watch.
    streams: usize,
}

/// What the health page shares with the loop.
#[derive(Debug, Clone)]
struct Shared {
    engine: Arc<Mutex<Arc<Engine>>>,
    refused: Arc<Mutex<Option<String>>>,
}

impl Shared {
    fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.engine.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn refuse(&self, why: Option<String>) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }
}

/// Runs until SIGTERM or SIGINT. `started` is called once, with the address that `/healthz` listens on.
///
/// # Errors
/// Where it cannot start: the config, the store, or the address. A reload that fails is logged, and the old config
/// goes on.
pub async fn watch(
    path: PathBuf,
    config: LoadedConfig,
    started: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    let listen = config.config.watch.listen;
    let engine = Engine::open(config, Arc::new(SystemClock::new())).await.context("cannot start")?;
    let _lock = engine.lock_daemon().await.context("cannot start")?;
    engine.recover().await.context("cannot finish what was cut off")?;
    let shared = Shared { engine: Arc::new(Mutex::new(Arc::new(engine))), refused: Arc::default() };

    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}; set `watch.listen` to a free address"))?;
    let address = listener.local_addr().context("cannot listen")?;
    let (stop, stopped) = watch::channel(false);
    let mut server_stop = stopped.clone();
    let app = Router::new().route("/healthz", get(healthz)).with_state(shared.clone());
    let server = tokio::spawn(async move {
        let ended = async move {
            let _ = server_stop.wait_for(|stop| *stop).await;
        };
        if let Err(failed) = axum::serve(listener, app).with_graceful_shutdown(ended).await {
            error!("the health page ended: {failed}");
        }
    });
    let mut hangup = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    started(address);

    let mut end = false;
    while !end {
        let engine = shared.engine();
        info!("watching {} streams; /healthz on {address}", engine.subjects(&[])?.len());
        let (pause, paused) = watch::channel(false);
        let run = Run { until: None, stop: paused, on_checked: Arc::new(log_checked) };
        let mut running = tokio::spawn(async move { engine.run(run).await });
        loop {
            tokio::select! {
                ended = &mut running => {
                    ended.context("the schedule ended in a panic")?.context("the schedule cannot go on")?;
                    end = true;
                    break;
                }
                Some(()) = hangup.recv() => match reload(&shared, &path) {
                    Ok(next) => {
                        // What runs may end under the old config; then the loop starts anew under the next one.
                        let _ = pause.send(true);
                        (&mut running).await.context("the schedule ended in a panic")?.context("the schedule cannot go on")?;
                        *shared.engine.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
                        shared.refuse(None);
                        info!("reloaded the config");
                        break;
                    }
                    Err(refused) => {
                        error!("the new config is refused, the old one goes on: {refused:#}");
                        shared.refuse(Some(format!("{refused:#}")));
                    }
                },
                Some(()) = terminate.recv() => end = true,
                Some(()) = interrupt.recv() => end = true,
            }
            if end {
                info!("stopping");
                let _ = pause.send(true);
                (&mut running)
                    .await
                    .context("the schedule ended in a panic")?
                    .context("the schedule cannot go on")?;
                break;
            }
        }
    }
    let _ = stop.send(true);
    let _ = server.await;
    shared.engine().close().await;
    info!("stopped");
    Ok(())
}

fn reload(shared: &Shared, path: &std::path::Path) -> anyhow::Result<Engine> {
    let config = Config::load(path, &|name| std::env::var(name).ok())?;
    let old = shared.engine();
    if config.config.store != old.config().config.store {
        anyhow::bail!("`store` cannot change while the daemon runs: restart it");
    }
    if config.config.watch.listen != old.config().config.watch.listen {
        warn!("`watch.listen` takes effect at the next start");
    }
    Ok(old.reloaded(config)?)
}

async fn healthz(State(shared): State<Shared>) -> (StatusCode, Json<Health>) {
    let engine = shared.engine();
    let (code, status) = match engine.ping().await {
        Ok(()) => (StatusCode::OK, "ok".to_owned()),
        Err(failed) => (StatusCode::SERVICE_UNAVAILABLE, format!("the store does not answer: {failed}")),
    };
    let refused = shared.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let streams = engine.subjects(&[]).map_or(0, |subjects| subjects.len());
    (code, Json(Health { status, version: env!("CARGO_PKG_VERSION"), reload_refused: refused, streams }))
}

/// One line a check: counts and names, never values.
fn log_checked(checked: &Checked) {
    let stream = &checked.subject;
    match &checked.outcome {
        Outcome::Recorded { records } => info!(%stream, records, "recorded `{stream}`: {records} records"),
        Outcome::Learning { joined: false, seen, .. } => {
            info!(%stream, "learning `{stream}` stands still at {seen} windows, by what this one shows");
        }
        Outcome::Learning { seen, needed, until, .. } => {
            info!(%stream, "learning `{stream}`: {seen} of {needed} windows, until {until} at the earliest");
        }
        Outcome::Compared => {
            let findings = checked.report.as_ref().map_or(0, |report| report.findings.len());
            info!(%stream, findings, "checked `{stream}`: {findings} findings");
        }
        Outcome::Unchanged => info!(%stream, "checked `{stream}`: nothing new at the source"),
        Outcome::Empty => info!(%stream, "checked `{stream}`: no records, no evidence"),
        Outcome::Failed(unobserved) => warn!(%stream, "could not observe `{stream}`: {}", unobserved.outcome),
    }
    for diagnosis in checked.report.iter().flat_map(|report| &report.diagnoses) {
        match diagnosis.severity {
            Severity::Info => info!(%stream, diagnosis = %diagnosis.id, "{}", diagnosis.summary),
            Severity::Warning | Severity::Breaking => {
                warn!(%stream, diagnosis = %diagnosis.id, "{}", diagnosis.summary)
            }
        }
    }
}
