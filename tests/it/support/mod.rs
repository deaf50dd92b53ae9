//! What the journeys share: servers, databases, temporary folders.

pub(crate) mod database;
mod postgres;
