//! Settings from the environment, read once at start; a missing or bad one is named.

use std::str::FromStr;

/// A setting that is missing or cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The variable is not set, or empty.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// The variable is set to something else than required.
    #[error("the environment variable {name} is not valid: {detail}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        detail: String,
    },
}

/// The variable's value.
///
/// # Errors
/// [`ConfigError::Missing`] when it is unset or empty.
pub fn required(name: &'static str) -> Result<String, ConfigError> {
    optional(name).ok_or(ConfigError::Missing(name))
}

/// The variable's value, when it is set and not empty.
#[must_use]
pub fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether a switch is on: `true`, `false`, or on when not set.
///
/// # Errors
/// [`ConfigError::Invalid`] for anything else.
pub fn switch(name: &'static str) -> Result<bool, ConfigError> {
    match optional(name).as_deref() {
        None | Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => Err(ConfigError::Invalid { name, detail: "it must be true or false".to_owned() }),
    }
}

/// The variable's value, parsed.
///
/// # Errors
/// [`ConfigError`] when it is unset or cannot be parsed.
pub fn parsed<T: FromStr<Err: std::fmt::Display>>(name: &'static str) -> Result<T, ConfigError> {
    required(name)?.parse().map_err(|error: T::Err| ConfigError::Invalid { name, detail: error.to_string() })
}
