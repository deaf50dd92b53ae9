//! Secrets: where they come from, and a type that never prints them.

use std::{fmt, path::PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A secret text. Prints and serialises as `<secret>`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret; trailing line ends, as editors leave them in files, are cut.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let mut text = text.into();
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
        Self(text)
    }

    /// The secret itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("<secret>")
    }
}

/// Where a secret comes from: `${NAME}` in the config, or the file that a `*_file` key names.
///
/// The value is read once, when the config is loaded, and kept beside its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable, written `${NAME}`.
    Env {
        /// The variable.
        name: String,
        /// Its value, once the config has been resolved.
        value: Option<Secret>,
    },
    /// A file that holds the secret and nothing else.
    File {
        /// The file; relative paths are below the folder of the config.
        path: PathBuf,
        /// Its content, once the config has been resolved.
        value: Option<Secret>,
    },
}

impl SecretSource {
    /// A secret that is to be read from a file.
    #[must_use]
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::File { path: path.into(), value: None }
    }

    /// The value; `None` until the config has been resolved.
    #[must_use]
    pub const fn value(&self) -> Option<&Secret> {
        match self {
            Self::Env { value, .. } | Self::File { value, .. } => value.as_ref(),
        }
    }

    /// Fills in the value that was read.
    pub fn resolve(&mut self, secret: Secret) {
        match self {
            Self::Env { value, .. } | Self::File { value, .. } => *value = Some(secret),
        }
    }
}

impl Serialize for SecretSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Env { name, .. } => serializer.collect_str(&format_args!("${{{name}}}")),
            Self::File { path, .. } => serializer.collect_str(&path.display()),
        }
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    /// Reads `${NAME}`; a literal secret is refused, because config files are copied, committed and mailed.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let name = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        match name {
            Some(name)
                if !name.is_empty()
                    && !name.starts_with(|c: char| c.is_ascii_digit())
                    && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()) =>
            {
                Ok(Self::Env { name: name.to_owned(), value: None })
            }
            // The text is not repeated: it may be the secret itself.
            _ => Err(serde::de::Error::custom(
                "a secret is not written here: give `${NAME}` of an environment variable, or the key with `_file` and a path",
            )),
        }
    }
}

/// Reads a `*_file` key: a path, not `${NAME}`.
///
/// # Errors
/// Where the value is no text.
pub fn secret_file<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretSource>, D::Error> {
    Ok(Option::<PathBuf>::deserialize(deserializer)?.map(SecretSource::file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_prints() {
        let secret = Secret::new("hunter2\n");
        assert_eq!(secret.expose(), "hunter2");
        assert_eq!(format!("{secret:?} {secret}"), "<secret> <secret>");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"<secret>\"");
    }

    #[test]
    fn refuses_a_literal_without_repeating_it() {
        let error = serde_json::from_str::<SecretSource>("\"hunter2\"").unwrap_err();
        assert!(!error.to_string().contains("hunter2"));
    }
}
