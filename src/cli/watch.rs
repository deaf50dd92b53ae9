//! `drogue watch`.

use super::args::Common;
use super::output::{Exit, Output};
use super::render;
use crate::config::Config;
use crate::daemon;

pub(super) async fn run(common: &Common, out: &Output) -> anyhow::Result<Exit> {
    let path = Config::find(common.config.as_deref(), &|name| std::env::var(name).ok())?;
    let config = super::load_from(&path, out)?;
    if !out.is_verbose() {
        super::warn_of(&config, out);
    }
    let streams: usize = config.config.connectors.values().map(|connector| connector.streams.len()).sum();
    daemon::watch(path, config, |address| {
        let streams = render::count(streams as u64, "stream");
        out.say(&format!("watching {streams}; health on http://{address}/healthz; stop with Ctrl-C"));
    })
    .await?;
    Ok(Exit::Clean)
}
