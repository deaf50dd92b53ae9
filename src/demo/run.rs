//! The run of the demo: the scheduler of `watch` on a driven clock, one day after the other, beside a connector that
//! loads each day twice: by the mapping that Drogue may patch, and by one that nobody mends.
//!
//! Nothing here knows what the data will show. What is approved goes through [`Engine::approve`], as anyone's would.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use super::server::replay;
use super::{Column, Sequence, Tally, columns, first_mapping, tally};
use crate::clock::DrivenClock;
use crate::config::Config;
use crate::engine::{Approval, Checked, Engine, Run};
use crate::model::{Clock, Diagnosis, FieldPath, Message, Patch, PatchState, Subject};
use crate::proc;

/// Who decides in the demo.
pub const ACTOR: &str = "demo";
/// The connector loads after the check of the day; a day's check is at six, the load at noon.
const CHECK_AT: SignedDuration = SignedDuration::from_hours(6);
const LOAD_AT: SignedDuration = SignedDuration::from_hours(12);
/// How long the connector may take for one day, or its first build.
const LOAD_WITHIN: Duration = Duration::from_secs(120);
const BUILD_WITHIN: Duration = Duration::from_secs(900);

/// What to run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The folder for config, mappings and databases.
    pub folder: PathBuf,
    /// The SMTP server that takes the mails; without one they stay in the outbox, to be shown.
    pub smtp: Option<(String, u16)>,
    /// The connector's program.
    pub connector: PathBuf,
}

/// What happens, as it happens.
#[derive(Debug)]
pub enum Event<'a> {
    /// A sequence begins.
    Begin {
        /// The sequence.
        sequence: &'a Sequence,
        /// The mapping file that Drogue may patch.
        mapping: &'a Path,
    },
    /// A day is over.
    Day(&'a Day),
    /// A sequence is over.
    End(&'a Ending),
}

/// One day of the demo.
#[derive(Debug)]
pub struct Day {
    /// The day, `2020-03-31`.
    pub day: String,
    /// What the publisher calls it.
    pub version: String,
    /// Checks of the day, in order.
    pub checks: Vec<Checked>,
    /// What was decided.
    pub decisions: Vec<Decided>,
    /// Messages that were written to the outbox.
    pub messages: Vec<Message>,
    /// Rows that the connector loaded, with the patched mapping and with the old one; why not, where it failed.
    pub loaded: (Result<u64, String>, Result<u64, String>),
}

/// One decision of the demo.
#[derive(Debug)]
pub enum Decided {
    /// A patch was approved and applied.
    Approved(Box<Patch>),
    /// A patch was left alone, and why.
    Left(Box<Patch>, String),
    /// What was diagnosed is the new normal.
    Accepted(Vec<Diagnosis>),
}

/// How a sequence ended.
#[derive(Debug)]
pub struct Ending {
    /// The sequence.
    pub id: String,
    /// Whether labels tell what was published; without them holes are counted by habit.
    pub labelled: bool,
    /// The columns of both tables.
    pub columns: Vec<Column>,
    /// The table that the patched mapping filled.
    pub with: Tally,
    /// The table that the old mapping filled.
    pub without: Tally,
    /// The mapping file at the end.
    pub mapping: PathBuf,
}

/// Asked before a patch is approved: `true` for yes.
pub type Ask<'a> = &'a mut dyn FnMut(&Patch) -> anyhow::Result<bool>;

/// Runs one sequence from its first day to its last.
///
/// # Errors
/// Where the surroundings fail: no port, no disk, no connector. What the data shows is never an error.
pub async fn run(
    sequence: &Arc<Sequence>,
    settings: &Settings,
    ask: Ask<'_>,
    tell: &mut dyn FnMut(Event<'_>),
) -> anyhow::Result<()> {
    let Some(first) = sequence.steps.first() else { bail!("the sequence `{}` has no steps", sequence.id) };
    let clock = Arc::new(DrivenClock::new(first.at + CHECK_AT));
    let server = replay(Arc::clone(sequence), Arc::clone(&clock) as Arc<dyn Clock>)
        .await
        .context("cannot serve the recorded feed on this machine")?;
    let records = sequence.first_records();
    if records.is_empty() {
        bail!("no step of the sequence `{}` holds records", sequence.id);
    }
    let files = Files::write(sequence, settings, &server.url, &records)?;
    let config = Config::load(&files.config, &|_| None).context("the demo's own config")?;
    let mut engine =
        Engine::open(config, Arc::clone(&clock) as Arc<dyn Clock>).await.context("cannot start")?;
    if settings.smtp.is_none() {
        engine = engine.holding_messages();
    }
    let engine = Arc::new(engine);
    let subject = Subject { connector: "demo".to_owned(), stream: sequence.id.clone() };
    tell(Event::Begin { sequence, mapping: &files.mapping });

    let mut told = 0;
    for step in &sequence.steps {
        let noon = step.at + LOAD_AT;
        let checks = run_until(&engine, noon).await?;
        clock.advance_to(noon);
        let decisions = decide(&engine, &subject, &checks, ask).await?;
        // What was just decided may have written messages as well.
        if settings.smtp.is_some() {
            engine.deliver_due().await?;
        }
        let mut messages = engine.messages().await?;
        let new = messages.split_off(told.min(messages.len()));
        told += new.len();
        let loaded = (
            files
                .load(settings, &server.url, &subject.stream, &files.mapping, "with_drogue", &step.day())
                .await,
            files
                .load(settings, &server.url, &subject.stream, &files.frozen, "without_drogue", &step.day())
                .await,
        );
        tell(Event::Day(&Day {
            day: step.day(),
            version: step.version.clone(),
            checks,
            decisions,
            messages: new,
            loaded,
        }));
    }
    let columns = columns(&records);
    let ending = Ending {
        id: sequence.id.clone(),
        labelled: sequence.truth.is_some(),
        with: files.tally(settings, sequence, &columns, "with_drogue").await?,
        without: files.tally(settings, sequence, &columns, "without_drogue").await?,
        columns,
        mapping: files.mapping.clone(),
    };
    engine.close().await;
    tell(Event::End(&ending));
    Ok(())
}

/// Runs the daemon's own loop up to a moment, and gives the checks that it made.
async fn run_until(engine: &Arc<Engine>, until: Timestamp) -> anyhow::Result<Vec<Checked>> {
    let checks: Arc<Mutex<Vec<Checked>>> = Arc::default();
    let seen = Arc::clone(&checks);
    let (_stop, stopped) = watch::channel(false);
    let on_checked = Arc::new(move |checked: &Checked| {
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(checked.clone());
    });
    engine.run(Run { until: Some(until), stop: stopped, on_checked }).await?;
    let checks = std::mem::take(&mut *checks.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(checks)
}

/// Approves what is verified and unambiguous, and accepts what needs no patch; leaves the rest to a person.
async fn decide(
    engine: &Engine,
    subject: &Subject,
    checks: &[Checked],
    ask: Ask<'_>,
) -> anyhow::Result<Vec<Decided>> {
    let mut decisions = Vec::new();
    for patch in engine.patches(false).await? {
        if patch.state != PatchState::Verified {
            decisions.push(Decided::Left(Box::new(patch), "it could not be verified".to_owned()));
            continue;
        }
        if !ask(&patch)? {
            decisions.push(Decided::Left(Box::new(patch), "you said no".to_owned()));
            continue;
        }
        let approval = Approval { actor: ACTOR.to_owned(), reason: None, unverified: false };
        match engine.approve(&patch.id, &approval).await {
            Ok(applied) => decisions.push(Decided::Approved(Box::new(applied))),
            Err(refused) => decisions.push(Decided::Left(Box::new(patch), refused.to_string())),
        }
    }
    // What needs no patch, or gets none, and is not in doubt: a person who has read the mail would take it so.
    let Some(report) = checks.iter().rev().find_map(|checked| checked.report.as_ref()) else {
        return Ok(decisions);
    };
    if report.compared.live.records == 0 {
        return Ok(decisions);
    }
    let left: Vec<Diagnosis> = report
        .diagnoses
        .iter()
        .filter(|diagnosis| diagnosis.patch.is_none() && !diagnosis.ambiguous)
        .cloned()
        .collect();
    let paths: Vec<FieldPath> = left
        .iter()
        .flat_map(|diagnosis| {
            let explained =
                report.findings.iter().filter(|finding| diagnosis.explains.contains(&finding.fingerprint));
            explained.map(|finding| finding.path.clone()).chain([diagnosis.path.clone()])
        })
        .collect();
    if !left.is_empty() && engine.accept(subject, &paths, ACTOR, None).await.is_ok() {
        decisions.push(Decided::Accepted(left));
    }
    Ok(decisions)
}

/// The files of one run.
struct Files {
    config: PathBuf,
    mapping: PathBuf,
    frozen: PathBuf,
    database: PathBuf,
}

impl Files {
    fn write(
        sequence: &Sequence,
        settings: &Settings,
        url: &str,
        records: &[serde_json::Value],
    ) -> anyhow::Result<Self> {
        let folder = settings.folder.join(&sequence.id);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        let files = Self {
            config: folder.join("drogue.yaml"),
            mapping: folder.join("map.yaml"),
            frozen: folder.join("map.without-drogue.yaml"),
            database: folder.join("connector.db"),
        };
        let map = first_mapping(&sequence.id, records, &[]);
        for (path, text) in
            [(&files.mapping, &map), (&files.frozen, &map), (&files.config, &config(sequence, settings, url))]
        {
            std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        Ok(files)
    }

    async fn load(
        &self,
        settings: &Settings,
        url: &str,
        stream: &str,
        mapping: &Path,
        table: &str,
        day: &str,
    ) -> Result<u64, String> {
        let args: Vec<OsString> = [
            "load".into(),
            "--url".into(),
            url.into(),
            "--mapping".into(),
            mapping.as_os_str().to_owned(),
            "--stream".into(),
            stream.into(),
            "--db".into(),
            self.database.as_os_str().to_owned(),
            "--table".into(),
            table.into(),
            "--day".into(),
            day.into(),
        ]
        .into();
        let printed =
            proc::run(&settings.connector, &args, LOAD_WITHIN).await.map_err(|failed| match failed {
                proc::ProcError::Failed { said, .. } => said,
                other => other.to_string(),
            })?;
        let said: serde_json::Value = serde_json::from_slice(&printed).unwrap_or_default();
        said["loaded"].as_u64().ok_or_else(|| "the connector did not say what it loaded".to_owned())
    }

    async fn tally(
        &self,
        settings: &Settings,
        sequence: &Sequence,
        columns: &[Column],
        table: &str,
    ) -> anyhow::Result<Tally> {
        let args: Vec<OsString> = [
            "dump".into(),
            "--db".into(),
            self.database.as_os_str().to_owned(),
            "--table".into(),
            table.into(),
        ]
        .into();
        let dump = proc::run(&settings.connector, &args, LOAD_WITHIN).await?;
        Ok(tally(sequence, columns, &String::from_utf8_lossy(&dump))?)
    }
}

/// The config that a team would write for this feed.
fn config(sequence: &Sequence, settings: &Settings, url: &str) -> String {
    let (host, port) = settings.smtp.clone().unwrap_or_else(|| ("127.0.0.1".to_owned(), 25));
    let id = &sequence.id;
    format!(
        "# Written by `drogue demo`.\nversion: 1\nhttp:\n  # The recorded feed is served on this machine.\n  \
         allow_private: [127.0.0.0/8]\nlearning: {{windows: 3, span: 1d}}\nconnectors:\n  demo:\n    \
         mapping: {{framework: field-map, file: map.yaml}}\n    streams:\n      {id}:\n        \
         every: 1d\n        request: {{url: \"{url}\", records: \"$[*]\"}}\nreceivers:\n  team:\n    type: email\n    \
         from: drogue@example.org\n    to: [data-team@example.org]\n    \
         smtp: {{host: \"{host}\", port: {port}, tls: none}}\nroutes:\n  - min_severity: warning\n    receivers: [team]\n"
    )
}

/// Finds the connector's program: beside this one, as cargo lays examples out, or built now where cargo runs this.
///
/// # Errors
/// Where it is neither there nor can be built, with the command that builds it.
pub async fn find_connector(building: impl FnOnce()) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find this program")?;
    let folder = own.parent().unwrap_or_else(|| Path::new("."));
    let places =
        [folder.join("connector"), folder.join("examples/connector"), folder.join("../examples/connector")];
    if let Some(found) = places.iter().find(|path| path.is_file()) {
        return Ok(found.clone());
    }
    // `cargo run` says where it is and what it runs; the example shares all that was built for the program.
    let (Some(cargo), Some(project)) = (std::env::var_os("CARGO"), std::env::var_os("CARGO_MANIFEST_DIR"))
    else {
        bail!(
            "the demo's connector is not beside `{}`; build both with `cargo build --release --bins --examples`",
            own.display()
        );
    };
    building();
    let mut args: Vec<OsString> =
        ["build", "--quiet", "--example", "connector", "--manifest-path"].map(Into::into).into();
    args.push(Path::new(&project).join("Cargo.toml").into_os_string());
    if folder.file_name().is_some_and(|name| name == "release") {
        args.push("--release".into());
    }
    proc::run(Path::new(&cargo), &args, BUILD_WITHIN).await.context("cannot build the demo's connector")?;
    let built = folder.join("examples/connector");
    if built.is_file() { Ok(built) } else { bail!("cargo built no `{}`", built.display()) }
}
