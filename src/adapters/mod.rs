//! One file per framework: text in, text out.
