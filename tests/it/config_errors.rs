//! config errors.
