//! repair and apply.
