//! The only HTTP client: resolver guard, limits, redirects, proxy, certificates.
