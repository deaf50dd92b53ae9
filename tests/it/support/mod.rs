//! What the journeys share: servers, databases, temporary folders.
