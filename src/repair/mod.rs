//! From a diagnosis to a patch, and the check of a patch on recorded samples.
