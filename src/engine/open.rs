//! The engine itself: what it owns, and how the names in the config become what the steps need.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use tracing::info;

use super::EngineError;
use super::docs::{announced::Announced, contradicted::Descriptions};
use super::look::Hints;
use crate::adapters;
use crate::config::{AutoApply, ConnectorSettings, LoadedConfig, StreamSettings};
use crate::model::{Clock, Framework, HashKey, MappedStream, Message, Subject};
use crate::net::HttpClient;
use crate::notify::Sender;
use crate::observe::{Budget, Connection, HttpSettings, Politeness};
use crate::rules::RuleSet;
use crate::store::{DaemonLock, Store, StoreTarget};

/// Everything that a user can do. One for a process; cheap parts are shared.
#[derive(Debug)]
pub struct Engine {
    pub(super) config: LoadedConfig,
    pub(super) rules: RuleSet,
    pub(super) store: Store,
    connections: BTreeMap<String, Arc<Connection>>,
    politeness: Arc<Politeness>,
    pub(super) hints: Mutex<BTreeMap<Subject, Hints>>,
    /// What documents say of the records of streams.
    pub(super) descriptions: Descriptions,
    /// What documents announce.
    pub(super) announced: Announced,
    pub(super) sender: Sender,
    /// Who holds the leases: a process id and a random word.
    pub(super) holder: String,
    /// Whether messages stay in the outbox.
    pub(super) holds_messages: bool,
    clock: Arc<dyn Clock>,
}

/// One stream with all that the config says about it.
#[derive(Debug, Clone)]
pub(super) struct Stream<'a> {
    pub(super) subject: Subject,
    pub(super) connector: &'a ConnectorSettings,
    pub(super) settings: &'a StreamSettings,
}

/// What a connector's mapping file says of one stream.
#[derive(Debug, Clone)]
pub(super) struct MappingFile {
    pub(super) framework: Framework,
    pub(super) path: PathBuf,
    pub(super) label: String,
    pub(super) text: String,
    /// The stream's name in the file.
    pub(super) name: String,
    pub(super) stream: MappedStream,
}

impl Engine {
    /// Opens the store, reads the rules and makes the clients that a config asks for.
    ///
    /// # Errors
    /// Where any of them fails; nothing was started then.
    pub async fn open(config: LoadedConfig, clock: Arc<dyn Clock>) -> Result<Self, EngineError> {
        let mut fresh = [0; 16];
        getrandom::fill(&mut fresh)
            .map_err(|source| EngineError::Refused(format!("the system gives no random bytes: {source}")))?;
        let store = Store::open(&target(&config)?, fresh).await?;
        Self::assemble(config, clock, store, Arc::new(Politeness::new()))
    }

    /// The same engine under another config, with the same store: what a reload makes.
    ///
    /// # Errors
    /// Where the config asks for what cannot be had; the old engine goes on then.
    pub fn reloaded(&self, config: LoadedConfig) -> Result<Self, EngineError> {
        let mut next = Self::assemble(
            config,
            Arc::clone(&self.clock),
            self.store.clone(),
            Arc::clone(&self.politeness),
        )?;
        next.holds_messages = self.holds_messages;
        // What this process holds it goes on holding.
        next.holder.clone_from(&self.holder);
        Ok(next)
    }

    fn assemble(
        config: LoadedConfig,
        clock: Arc<dyn Clock>,
        store: Store,
        politeness: Arc<Politeness>,
    ) -> Result<Self, EngineError> {
        let rules = config.rules.clone();
        let mut connections = BTreeMap::new();
        for (name, connector) in &config.config.connectors {
            let http = connector.http.as_ref().unwrap_or(&config.config.http);
            let connection = Connection::new(
                connector.base_url.clone(),
                connector.headers.clone(),
                &connector.auth,
                http,
                Arc::clone(&politeness),
                Arc::new(Budget::new(http.requests_per_day)),
            )
            .map_err(|source| EngineError::Connection { connector: name.clone(), source })?;
            connections.insert(name.clone(), Arc::new(connection));
        }
        let http = HttpClient::new(&config.config.http)
            .map_err(|source| EngineError::Refused(format!("`http` in the config: {source}")))?;
        // One word for each process: two that share a database must never take each other's lease for their own.
        let mut word = [0; 8];
        getrandom::fill(&mut word)
            .map_err(|source| EngineError::Refused(format!("the system gives no random bytes: {source}")))?;
        let holder = format!("{}-{:016x}", std::process::id(), u64::from_le_bytes(word));
        Ok(Self {
            config,
            rules,
            store,
            connections,
            politeness,
            hints: Mutex::default(),
            descriptions: Descriptions::default(),
            announced: Announced::default(),
            sender: Sender::new(http),
            holder,
            holds_messages: false,
            clock,
        })
    }

    /// The same engine, but messages stay in the outbox, to be looked at with [`Engine::messages`].
    #[must_use]
    pub fn holding_messages(mut self) -> Self {
        self.holds_messages = true;
        self
    }

    /// What is in the outbox, sent or not, the oldest first.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn messages(&self) -> Result<Vec<Message>, EngineError> {
        const MOST: u64 = 100_000;
        let mut stored = self.store.messages(MOST).await?;
        stored.sort_by(|a, b| (a.created, &a.message.id).cmp(&(b.created, &b.message.id)));
        Ok(stored.into_iter().map(|stored| stored.message).collect())
    }

    /// Makes this process the only daemon of its SQLite database, as long as the lock is held.
    ///
    /// # Errors
    /// Where another one runs, with its process id.
    pub async fn lock_daemon(&self) -> Result<DaemonLock, EngineError> {
        let lock = self.store.lock_daemon()?;
        self.store.end_stale_leases(&lock).await?;
        Ok(lock)
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn ping(&self) -> Result<(), EngineError> {
        Ok(self.store.ping().await?)
    }

    /// The clock that everything goes by.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// The rules in force, those of the site included.
    #[must_use]
    pub const fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// The config that the engine runs under.
    #[must_use]
    pub const fn config(&self) -> &LoadedConfig {
        &self.config
    }

    /// Ends all connections to the store.
    pub async fn close(&self) {
        self.store.close().await;
    }

    pub(super) fn hash_key(&self) -> HashKey {
        self.store.hash_key()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn concurrency(&self) -> usize {
        self.config.config.watch.concurrency.max(1)
    }

    /// The streams that are meant by `CONNECTOR` or `CONNECTOR/STREAM`; all where nothing is given.
    ///
    /// # Errors
    /// Where a name is in no config, with the nearest that is.
    pub fn subjects(&self, selection: &[String]) -> Result<Vec<Subject>, EngineError> {
        let all: Vec<Subject> = self
            .config
            .config
            .connectors
            .iter()
            .flat_map(|(connector, settings)| {
                settings
                    .streams
                    .keys()
                    .map(|stream| Subject { connector: connector.clone(), stream: stream.clone() })
            })
            .collect();
        if selection.is_empty() {
            return Ok(all);
        }
        let mut chosen = Vec::new();
        for name in selection {
            let before = chosen.len();
            chosen.extend(
                all.iter()
                    .filter(|subject| subject.connector == *name || subject.to_string() == *name)
                    .cloned(),
            );
            // A document is no stream, and neither has a connector of documents alone any.
            if chosen.len() == before && self.documents(std::slice::from_ref(name)).is_empty() {
                let documents = self.document_subjects(&[]);
                return Err(unknown_stream(name, &[all, documents].concat()));
            }
        }
        chosen.sort();
        chosen.dedup();
        Ok(chosen)
    }

    /// The one stream that is meant.
    ///
    /// # Errors
    /// Where there is none or more than one.
    pub fn subject(&self, name: &str) -> Result<Subject, EngineError> {
        let mut found = self.subjects(&[name.to_owned()])?;
        match (found.pop(), found.is_empty()) {
            (Some(subject), true) => Ok(subject),
            (Some(other), false) => Err(EngineError::Refused(format!(
                "`{name}` has several streams: name one of them, such as `{}` or `{other}`",
                found[0]
            ))),
            (None, _) => Err(EngineError::Refused(format!(
                "`{name}` is documentation and no stream; `drogue check {name}` looks at it, `drogue baseline history \
                 {name}` lists its versions"
            ))),
        }
    }

    pub(super) fn stream(&self, subject: &Subject) -> Result<Stream<'_>, EngineError> {
        let connector = self.config.config.connectors.get(&subject.connector);
        let found =
            connector.and_then(|connector| Some((connector, connector.streams.get(&subject.stream)?)));
        let Some((connector, settings)) = found else {
            return Err(unknown_stream(&subject.to_string(), &self.subjects(&[])?));
        };
        Ok(Stream { subject: subject.clone(), connector, settings })
    }

    /// Whether the stream is asked for by schedule, and not only by imports.
    pub(super) fn is_probed(&self, subject: &Subject) -> bool {
        self.stream(subject).is_ok_and(|stream| stream.settings.request.is_some())
    }

    pub(super) fn every(&self, subject: &Subject) -> SignedDuration {
        let of_stream = self.stream(subject).map(|stream| stream.settings.every);
        let every = of_stream.or_else(|_| self.document_every(subject));
        every.map_or(SignedDuration::from_hours(1), |every| every.signed())
    }

    pub(super) fn connection(&self, connector: &str) -> Result<&Arc<Connection>, EngineError> {
        self.connections.get(connector).ok_or_else(|| EngineError::Unknown {
            what: "connector",
            name: connector.to_owned(),
            hint: String::new(),
        })
    }

    pub(super) fn http(&self, connector: &str) -> &HttpSettings {
        let own = self.config.config.connectors.get(connector).and_then(|connector| connector.http.as_ref());
        own.unwrap_or(&self.config.config.http)
    }

    /// The files that may be written: the mapping files of the config, and no other.
    pub(super) fn declared_files(&self) -> Vec<PathBuf> {
        let mappings =
            self.config.config.connectors.values().filter_map(|connector| connector.mapping.as_ref());
        mappings.map(|mapping| mapping.file.clone()).collect()
    }

    /// A path as people know it: relative to the folder of the config where it is below.
    pub(super) fn label(&self, path: &Path) -> String {
        path.strip_prefix(&self.config.dir).unwrap_or(path).display().to_string()
    }

    pub(super) fn auto_apply(&self, stream: &Stream<'_>) -> AutoApply {
        stream.connector.policy.unwrap_or(self.config.config.policy).auto_apply
    }

    /// Reads the mapping file of a stream, as it is now; `None` where the config names none, or the file does not have
    /// the stream.
    pub(super) fn mapping(&self, stream: &Stream<'_>) -> Result<Option<MappingFile>, EngineError> {
        let Some(settings) = &stream.connector.mapping else { return Ok(None) };
        let label = self.label(&settings.file);
        let text = std::fs::read_to_string(&settings.file)
            .map_err(|source| EngineError::Read { file: label.clone(), source })?;
        let wrong = |source| EngineError::Mapping { file: label.clone(), source };
        let framework = match settings.framework {
            Some(framework) => framework,
            None => adapters::recognise(&label, &text).ok_or_else(|| {
                EngineError::Refused(format!(
                    "mapping `{label}`: it is neither an Airbyte manifest nor a field map; name it with \
                     `mapping.framework` in the config"
                ))
            })?,
        };
        let mapping = adapters::read(framework, &text).map_err(wrong)?;
        let name = stream.settings.mapped_as.clone().unwrap_or_else(|| stream.subject.stream.clone());
        let Some(mapped) = mapping.stream(&name).cloned() else {
            info!(stream = %stream.subject, "mapping `{label}` has no stream `{name}`; set `mapped_as` if it has another name");
            return Ok(None);
        };
        Ok(Some(MappingFile { framework, path: settings.file.clone(), label, text, name, stream: mapped }))
    }
}

/// Where the config wants things kept.
fn target(config: &LoadedConfig) -> Result<StoreTarget, EngineError> {
    let store = &config.config.store;
    let postgres = store.postgres.as_ref().or(store.postgres_file.as_ref()).and_then(|source| source.value());
    match (postgres, &store.sqlite) {
        (Some(address), _) => Ok(StoreTarget::Postgres(address.clone())),
        (None, Some(path)) => Ok(StoreTarget::Sqlite(path.clone())),
        (None, None) => Err(EngineError::Refused("the config names no store".to_owned())),
    }
}

fn unknown_stream(name: &str, all: &[Subject]) -> EngineError {
    let names = all.iter().flat_map(|subject| [subject.connector.clone(), subject.to_string()]);
    let nearest = names
        .map(|other| (strsim::damerau_levenshtein(name, &other), other))
        .filter(|(distance, _)| *distance <= name.len() / 2)
        .min();
    let hint = match nearest {
        Some((_, other)) => format!("; did you mean `{other}`?"),
        None if all.is_empty() => "; the config has no streams".to_owned(),
        None => format!(
            "; the config has `{}`",
            all.iter().map(ToString::to_string).take(8).collect::<Vec<_>>().join("`, `")
        ),
    };
    EngineError::Unknown { what: "connector or stream", name: name.to_owned(), hint }
}
