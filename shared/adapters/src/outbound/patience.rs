//! How long a partner is waited for.

use std::str::FromStr;
use std::time::Duration;

/// The bounds of the calls of one partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection: DNS, TCP and TLS.
    pub connect: Duration,
    /// For the answer of one attempt, once connected. An attempt may take both, since any may have to connect.
    pub attempt: Duration,
    /// For all calls of this partner by one request, or for one call of a follow-up.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let [connect, attempt, whole] = [1_000, 1_000, 2_500].map(Duration::from_millis);
        Self { connect, attempt, whole }
    }
}

impl FromStr for Patience {
    type Err = &'static str;

    /// Reads `connect,attempt,whole` in milliseconds.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let millis: Option<Vec<u64>> = text.split(',').map(|part| part.trim().parse().ok()).collect();
        match millis.as_deref() {
            Some([connect, attempt, whole]) if [connect, attempt, whole].iter().all(|millis| **millis > 0) => {
                let [connect, attempt, whole] = [*connect, *attempt, *whole].map(Duration::from_millis);
                Ok(Self { connect, attempt, whole })
            }
            _ => Err("it must be three numbers of milliseconds: connect,attempt,whole"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_positive_numbers_are_a_patience_and_nothing_else_is() {
        assert_eq!("1000,1000,2500".parse(), Ok(Patience::default()));
        for bad in ["", "1,2", "1,2,3,4", "1,2,x", "0,1,2", "1,2,-3"] {
            assert!(bad.parse::<Patience>().is_err(), "{bad}");
        }
    }
}
