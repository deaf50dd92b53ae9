//! From findings to diagnoses: one real change, one explanation, with its evidence.
