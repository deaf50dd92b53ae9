//! What is asked, and through which client: the settings of a connector and its streams, ready for use.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{AuthSettings, Budget, Politeness, RequestSettings, SignIn, SignInError, Validators};
use crate::model::{FieldPath, Subject};
use crate::net::{HttpClient, HttpSettings, NetError};
use crate::profile::SampleMode;

/// What the streams of a connector share.
#[derive(Debug)]
pub struct Connection {
    /// What addresses are relative to.
    pub base_url: Option<String>,
    /// Headers of all requests.
    pub headers: BTreeMap<String, String>,
    /// The client.
    pub http: HttpClient,
    /// How to sign in, with the token that is in use.
    pub sign_in: SignIn,
    /// Keeps requests to a host apart; one for the whole process.
    pub politeness: Arc<Politeness>,
    /// What is left of the requests for today.
    pub budget: Arc<Budget>,
    /// The least time between two requests to one host.
    pub min_interval: Duration,
    /// Nesting of bodies beyond this is not read.
    pub max_depth: u16,
}

/// Why a connector cannot be observed at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The client.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The sign-in.
    #[error(transparent)]
    SignIn(#[from] SignInError),
}

impl Connection {
    /// Makes the client and the sign-in of these settings; secrets must have been resolved.
    ///
    /// # Errors
    /// Where a file cannot be read, or a secret is missing.
    pub fn new(
        base_url: Option<String>,
        headers: BTreeMap<String, String>,
        auth: &AuthSettings,
        http: &HttpSettings,
        politeness: Arc<Politeness>,
        budget: Arc<Budget>,
    ) -> Result<Self, ConnectionError> {
        Ok(Self {
            base_url,
            headers,
            http: HttpClient::new(http)?,
            sign_in: SignIn::new(auth)?,
            politeness,
            budget,
            min_interval: http.min_interval.duration(),
            max_depth: http.max_depth.min(128),
        })
    }
}

/// One stream that is asked for its records.
#[derive(Debug, Clone)]
pub struct Source {
    /// Whose records.
    pub subject: Subject,
    /// What it shares with the other streams of its connector.
    pub connection: Arc<Connection>,
    /// How to ask.
    pub request: RequestSettings,
    /// What is kept of sampled values.
    pub samples: SampleMode,
    /// Where an earlier look guessed the records, if the config does not say.
    pub guessed_records: Option<FieldPath>,
    /// What the last look was given to ask with; empty for a look that must see records.
    pub validators: Validators,
}
