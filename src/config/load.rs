//! From a file to a config that can be used: paths resolved, secrets read.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::errors::{ConfigError, ConfigErrors, nearest};
use super::read::{Source, read};
use super::tree::Seg;
use super::{Config, ConnectorSettings};
use crate::adapters;
use crate::model::{Secret, SecretSource};
use crate::notify::ReceiverSettings;
use crate::observe::{AuthSettings, HttpSettings};
use crate::rules::RuleSet;

/// A config is written by hand; a token is short. Beyond these the file is something else.
const MAX_CONFIG_BYTES: u64 = 4_000_000;
const MAX_SECRET_BYTES: u64 = 64_000;
const MAX_MAPPING_BYTES: u64 = 16_000_000;
const MAX_RULE_BYTES: u64 = 256_000;
/// Rule files of a site, and folders below folders of them.
const MAX_RULES: usize = 5_000;
const MAX_RULE_DEPTH: usize = 6;

/// A config that can be used.
#[derive(Debug, Clone)]
pub struct LoadedConfig {
    /// The settings, with paths resolved and secrets read.
    pub config: Config,
    /// The rules in force: those of this program, those of `rules.dirs`, and the overrides.
    pub rules: RuleSet,
    /// The file.
    pub path: PathBuf,
    /// Its folder, which relative paths were resolved against.
    pub dir: PathBuf,
    /// Things worth a look.
    pub warnings: Vec<ConfigError>,
}

impl Config {
    /// Reads and checks a text; `file_name` is for messages. Paths are left as written, secrets unread.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, ConfigErrors> {
        read(text, file_name).map(|(config, _, _)| config)
    }

    /// Reads a file, resolves paths against its folder, and reads the secrets from `env` and from files.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn load(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<LoadedConfig, ConfigErrors> {
        let name = path.display().to_string();
        let text = read_text(path, MAX_CONFIG_BYTES).map_err(|why| {
            ConfigErrors::one(ConfigError::new(&name, format!("cannot read the config: {why}")))
        })?;
        let (mut config, source, mut found) = read(&text, &name)?;
        let dir = match path.parent() {
            Some(dir) if dir.as_os_str().is_empty() => PathBuf::from("."),
            Some(dir) => dir.to_owned(),
            None => PathBuf::from("."),
        };
        let dir = fs::canonicalize(&dir).unwrap_or(dir);
        let mut resolver = Resolver { source: &source, dir: &dir, env, found: &mut found };
        resolver.config(&mut config);
        let rules = resolver.rules(&config);
        found.sort();
        match rules {
            Some(rules) if found.errors.is_empty() => {
                let rules = rules.with_overrides(config.rules.overrides.clone());
                Ok(LoadedConfig { config, rules, path: path.to_owned(), dir, warnings: found.warnings })
            }
            _ => Err(found),
        }
    }

    /// The config to use: `--config`, else `DROGUE_CONFIG`, else `./drogue.yaml`.
    ///
    /// # Errors
    /// Where that file is not there.
    pub fn find(flag: Option<&Path>, env: &dyn Fn(&str) -> Option<String>) -> Result<PathBuf, ConfigErrors> {
        let variable = env("DROGUE_CONFIG").filter(|text| !text.is_empty()).map(PathBuf::from);
        let (path, how) = match (flag, variable) {
            (Some(path), _) => (path.to_owned(), "named by `--config`"),
            (None, Some(path)) => (path, "named by the variable `DROGUE_CONFIG`"),
            (None, None) => (PathBuf::from("drogue.yaml"), "looked for in this folder"),
        };
        if path.is_file() {
            return Ok(path);
        }
        let error = ConfigError::new(&path.display().to_string(), format!("there is no such config, {how}"))
            .help("`drogue init` writes one; `--config FILE` names another");
        Err(ConfigErrors::one(error))
    }
}

/// Reads a text file, bounded.
fn read_text(path: &Path, most: u64) -> Result<String, String> {
    let file = fs::File::open(path).map_err(|error| reason(&error))?;
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| reason(&error))?;
    if bytes.len() as u64 > most {
        return Err(format!("it has more than {most} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "no permission to read it".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        _ => error.to_string(),
    }
}

/// Rule files below a folder, in the order of their names; links are not followed.
fn rule_files(dir: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let mut paths: Vec<(PathBuf, fs::FileType)> =
        entries.flatten().filter_map(|entry| Some((entry.path(), entry.file_type().ok()?))).collect();
    paths.sort_by(|a, b| a.0.cmp(&b.0));
    for (path, kind) in paths {
        let is_yaml = path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        if kind.is_dir() && depth > 0 {
            rule_files(&path, depth - 1, files);
        } else if kind.is_file() && is_yaml && files.len() < MAX_RULES {
            files.push(path);
        }
    }
}

/// Overrides of rules that do not exist.
pub(super) fn unknown_rules(rules: &RuleSet, config: &Config, source: &Source<'_>) -> Vec<ConfigError> {
    let ids: Vec<String> = rules.rules().map(|rule| rule.id.clone()).collect();
    let overrides = config.rules.overrides.iter().enumerate();
    overrides
        .filter_map(|(index, change)| Some((index, change.rule.as_ref()?)))
        .filter(|(_, name)| !ids.contains(name))
        .map(|(index, name)| {
            let path: Vec<Seg> = vec!["rules".into(), "overrides".into(), index.into(), "rule".into()];
            let mut error = source.error(&path, format!("there is no rule `{name}`"));
            error.suggestion = nearest(name, &ids);
            error.help("`drogue rules list` names them all")
        })
        .collect()
}

struct Resolver<'s, 't> {
    source: &'s Source<'t>,
    dir: &'s Path,
    env: &'s dyn Fn(&str) -> Option<String>,
    found: &'s mut ConfigErrors,
}

fn at<const N: usize>(base: &[Seg], keys: [&str; N]) -> Vec<Seg> {
    base.iter().cloned().chain(keys.map(Seg::from)).collect()
}

impl Resolver<'_, '_> {
    fn config(&mut self, config: &mut Config) {
        let store = &mut config.store;
        self.secret(&at(&[], ["store", "postgres"]), &mut store.postgres);
        self.secret(&at(&[], ["store", "postgres_file"]), &mut store.postgres_file);
        if store.postgres.is_none() && store.postgres_file.is_none() {
            let file = store.sqlite.get_or_insert_with(|| PathBuf::from("drogue.db"));
            *file = self.dir.join(&*file);
        }
        self.secret(&at(&[], ["watch", "heartbeat"]), &mut config.watch.heartbeat);
        self.secret(&at(&[], ["watch", "heartbeat_file"]), &mut config.watch.heartbeat_file);
        self.http(&at(&[], ["http"]), &mut config.http);
        for (index, dir) in config.rules.dirs.iter_mut().enumerate() {
            *dir = self.dir.join(&*dir);
            if !dir.is_dir() {
                let path = [at(&[], ["rules", "dirs"]), vec![index.into()]].concat();
                self.error(&path, format!("there is no folder `{}`", dir.display()));
            }
        }
        for (name, connector) in &mut config.connectors {
            self.connector(&at(&[], ["connectors", name]), connector);
        }
        for (name, receiver) in &mut config.receivers {
            let base = at(&[], ["receivers", name]);
            match receiver {
                ReceiverSettings::Email { smtp, .. } => {
                    self.file(&at(&base, ["smtp", "ca_file"]), &mut smtp.ca_file);
                    self.secret(&at(&base, ["smtp", "password"]), &mut smtp.password);
                    self.secret(&at(&base, ["smtp", "password_file"]), &mut smtp.password_file);
                }
                ReceiverSettings::Webhook { secret, secret_file, .. } => {
                    self.secret(&at(&base, ["secret"]), secret);
                    self.secret(&at(&base, ["secret_file"]), secret_file);
                }
            }
        }
    }

    /// The rules of this program and those of the site's folders; nothing where one of them does not read.
    fn rules(&mut self, config: &Config) -> Option<RuleSet> {
        if config.rules.dirs.is_empty() {
            return Some(RuleSet::builtin());
        }
        let mut texts = Vec::new();
        for (index, dir) in config.rules.dirs.iter().enumerate() {
            let mut files = Vec::new();
            rule_files(dir, MAX_RULE_DEPTH, &mut files);
            for file in files {
                match read_text(&file, MAX_RULE_BYTES) {
                    Ok(text) => texts.push((file.display().to_string(), text)),
                    Err(why) => {
                        let path = [at(&[], ["rules", "dirs"]), vec![index.into()]].concat();
                        self.error(&path, format!("cannot read the rule `{}`: {why}", file.display()));
                    }
                }
            }
        }
        match RuleSet::with_dirs(texts) {
            Ok(rules) => {
                for error in unknown_rules(&rules, config, self.source) {
                    self.found.errors.push(error);
                }
                Some(rules)
            }
            Err(error) => {
                let told = ConfigError::new(&error.file, error.reason.clone()).in_other_file(error.line, 1);
                self.found.errors.push(told);
                None
            }
        }
    }

    fn connector(&mut self, base: &[Seg], connector: &mut ConnectorSettings) {
        self.auth(&at(base, ["auth"]), &mut connector.auth);
        if let Some(http) = &mut connector.http {
            self.http(&at(base, ["http"]), http);
        }
        if let Some(mapping) = &mut connector.mapping {
            mapping.file = self.dir.join(&mapping.file);
        }
        self.mapping(base, connector);
        for (index, doc) in connector.docs.iter_mut().enumerate() {
            let path = [at(base, ["docs"]), vec![index.into(), "file".into()]].concat();
            self.file(&path, &mut doc.file);
        }
    }

    /// The mapping file is read as the engine will read it, so that a patch never fails for a reason known today.
    fn mapping(&mut self, base: &[Seg], connector: &mut ConnectorSettings) {
        let Some(settings) = &mut connector.mapping else { return };
        let path = at(base, ["mapping", "file"]);
        let shown = settings.file.display().to_string();
        let text = match read_text(&settings.file, MAX_MAPPING_BYTES) {
            Ok(text) => text,
            Err(why) => {
                self.error(&path, format!("cannot read the mapping file `{shown}`: {why}"));
                return;
            }
        };
        let Some(framework) = settings.framework.or_else(|| adapters::recognise(&shown, &text)) else {
            let error = self.source.error(&path, format!("`{shown}` is no mapping file that Drogue knows"));
            self.found.errors.push(error.help("name what it is written in by `framework`"));
            return;
        };
        settings.framework = Some(framework);
        let mapping = match adapters::read(framework, &text) {
            Ok(mapping) => mapping,
            Err(error) => {
                let message = format!("the mapping file does not read: {}", error.reason);
                self.found
                    .errors
                    .push(ConfigError::new(&shown, message).in_other_file(error.line, error.column));
                return;
            }
        };
        let names: Vec<String> = mapping.streams.iter().map(|stream| stream.name.clone()).collect();
        for (name, stream) in &connector.streams {
            let wanted = stream.mapped_as.as_ref().unwrap_or(name);
            if names.contains(wanted) {
                continue;
            }
            let path = at(base, ["streams", name]);
            let warning = match stream.mapped_as {
                Some(_) => self
                    .source
                    .error(&at(&path, ["mapped_as"]), format!("the mapping file has no stream `{wanted}`")),
                None => self.source.error_at_key(
                    &path,
                    format!("the mapping file has no stream `{name}`, so nothing is patched for it"),
                ),
            };
            self.found.warnings.push(warning.nearest(wanted, names.clone()));
        }
    }

    fn auth(&mut self, base: &[Seg], auth: &mut AuthSettings) {
        match auth {
            AuthSettings::None => {}
            AuthSettings::Basic { password, password_file, .. } => {
                self.secret(&at(base, ["password"]), password);
                self.secret(&at(base, ["password_file"]), password_file);
            }
            AuthSettings::Bearer { token, token_file } => {
                self.secret(&at(base, ["token"]), token);
                self.secret(&at(base, ["token_file"]), token_file);
            }
            AuthSettings::ApiKey { key, key_file, .. } => {
                self.secret(&at(base, ["key"]), key);
                self.secret(&at(base, ["key_file"]), key_file);
            }
            AuthSettings::Oauth2ClientCredentials { client_secret, client_secret_file, .. } => {
                self.secret(&at(base, ["client_secret"]), client_secret);
                self.secret(&at(base, ["client_secret_file"]), client_secret_file);
            }
            AuthSettings::Oauth2RefreshToken {
                client_secret,
                client_secret_file,
                refresh_token_file,
                ..
            } => {
                self.secret(&at(base, ["client_secret"]), client_secret);
                self.secret(&at(base, ["client_secret_file"]), client_secret_file);
                self.secret(&at(base, ["refresh_token_file"]), refresh_token_file);
            }
        }
    }

    fn http(&mut self, base: &[Seg], http: &mut HttpSettings) {
        self.file(&at(base, ["ca_file"]), &mut http.ca_file);
        self.file(&at(base, ["client_cert_file"]), &mut http.client_cert_file);
        self.file(&at(base, ["client_key_file"]), &mut http.client_key_file);
    }

    fn error(&mut self, path: &[Seg], message: String) {
        self.found.errors.push(self.source.error(path, message));
    }

    fn file(&mut self, path: &[Seg], file: &mut Option<PathBuf>) {
        if let Some(file) = file {
            *file = self.dir.join(&*file);
            self.exists(path, file);
        }
    }

    fn exists(&mut self, path: &[Seg], file: &Path) {
        if file.is_dir() {
            self.error(path, format!("`{}` is a folder; a file is expected", file.display()));
        } else if let Err(error) = fs::File::open(file) {
            self.error(path, format!("cannot read `{}`: {}", file.display(), reason(&error)));
        }
    }

    fn secret(&mut self, path: &[Seg], source: &mut Option<SecretSource>) {
        let Some(source) = source else { return };
        let value = match source {
            SecretSource::Env { name, .. } => match (self.env)(name) {
                Some(text) if !text.is_empty() => text,
                Some(_) => {
                    self.error(path, format!("the environment variable `{name}` is empty"));
                    return;
                }
                None => {
                    let help = format!("export {name}, or put the secret in a file and name it with `_file`");
                    let error =
                        self.source.error(path, format!("the environment variable `{name}` is not set"));
                    self.found.errors.push(error.help(help));
                    return;
                }
            },
            SecretSource::File { path: file, .. } => {
                *file = self.dir.join(&*file);
                let text = match read_text(file, MAX_SECRET_BYTES) {
                    Ok(text) if text.trim().is_empty() => {
                        self.error(path, format!("the secret's file `{}` is empty", file.display()));
                        return;
                    }
                    Ok(text) => text,
                    Err(why) => {
                        self.error(
                            path,
                            format!("cannot read the secret's file `{}`: {why}", file.display()),
                        );
                        return;
                    }
                };
                if readable_by_others(file) {
                    let warning = self
                        .source
                        .error(path, format!("others on this machine can read `{}`", file.display()))
                        .help(format!("chmod 600 {}", file.display()));
                    self.found.warnings.push(warning);
                }
                text
            }
        };
        source.resolve(Secret::new(value));
    }
}

#[cfg(unix)]
fn readable_by_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
const fn readable_by_others(_file: &Path) -> bool {
    false
}

/// The rule files of some folders, by path and text.
///
/// # Errors
/// Where a folder is not there, or a file cannot be read.
pub fn read_rule_files(dirs: &[PathBuf]) -> Result<Vec<(String, String)>, ConfigErrors> {
    let mut texts = Vec::new();
    for dir in dirs {
        let shown = dir.display().to_string();
        if !dir.is_dir() {
            return Err(ConfigErrors::one(ConfigError::new(
                &shown,
                "there is no such folder of rules".to_owned(),
            )));
        }
        let mut files = Vec::new();
        rule_files(dir, MAX_RULE_DEPTH, &mut files);
        for file in files {
            let shown = file.display().to_string();
            let text = read_text(&file, MAX_RULE_BYTES).map_err(|why| {
                ConfigErrors::one(ConfigError::new(&shown, format!("cannot read the rule: {why}")))
            })?;
            texts.push((shown, text));
        }
    }
    Ok(texts)
}
