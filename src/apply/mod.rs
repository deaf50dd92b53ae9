//! The only module that writes users' files.
