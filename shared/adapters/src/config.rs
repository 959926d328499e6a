//! Settings from the environment, read once at start; a missing or bad one is named.

use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;

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

/// The URL of a service that this one trusts: `https`, or `http` when it is on this machine.
///
/// # Errors
/// [`ConfigError`] when it is unset, no URL, or would be called without encryption.
pub fn encrypted_url(name: &'static str) -> Result<Url, ConfigError> {
    encrypted(name, &required(name)?)
}

/// The same, of this text.
pub(crate) fn encrypted(name: &'static str, text: &str) -> Result<Url, ConfigError> {
    let invalid = |detail: String| ConfigError::Invalid { name, detail };
    let url: Url = text.parse().map_err(|error: <Url as FromStr>::Err| invalid(error.to_string()))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_local(&url) => Ok(url),
        _ => Err(invalid("it must be https".to_owned())),
    }
}

/// Whether the host is this machine.
fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The variable's value, parsed.
///
/// # Errors
/// [`ConfigError`] when it is unset or cannot be parsed.
pub fn parsed<T: FromStr<Err: std::fmt::Display>>(name: &'static str) -> Result<T, ConfigError> {
    required(name)?.parse().map_err(|error: T::Err| ConfigError::Invalid { name, detail: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_service_on_this_machine_may_be_called_without_encryption() {
        let good =
            ["http://localhost:1", "http://127.0.0.1:1/v1", "http://127.1.2.3", "http://[::1]:1", "https://a.example"];
        for good in good {
            assert!(encrypted("URL", good).is_ok(), "{good}");
        }
        for bad in [
            "http://partner.example",
            "http://localhost.example",
            "http://localhost@partner.example",
            "http://10.0.0.1",
            "http://[::2]",
            "ftp://localhost",
            "partner.example",
            "",
        ] {
            assert!(encrypted("URL", bad).is_err(), "{bad}");
        }
    }
}
