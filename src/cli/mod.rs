//! The command line: what people see and type.

pub mod render;
