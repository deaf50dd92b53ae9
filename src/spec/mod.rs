//! API descriptions: read into one model, and compared.
