//! What the journeys share: servers, databases, temporary folders.

pub(crate) mod api;
pub(crate) mod database;
mod postgres;
pub(crate) mod project;
pub(crate) mod python;
pub(crate) mod smtp;
