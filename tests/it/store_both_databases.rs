//! store both databases.
