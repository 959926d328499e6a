//! What a program is told by environment variables.

/// A setting that must be there.
///
/// # Errors
/// Names it when it is not.
pub fn setting(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} is not set"))
}

/// A setting that may be left out, or empty.
pub fn or(name: &str, default: &str) -> String {
    std::env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned())
}
