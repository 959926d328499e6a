//! Attempts to connect that failed, one after the other, and how long the next one waits.

use backon::ExponentialBackoff;
use tokio::time::sleep;

use super::socket::Unconnected;
use crate::config::Retries;
use crate::error::Error;
use crate::token::Token;

pub(super) struct Failures {
    retries: Retries,
    pauses: ExponentialBackoff,
    count: u32,
    /// Whether there has ever been a subscription: from then on only a refusal is final.
    is_established: bool,
    refused: Option<Token>,
}

impl Failures {
    pub fn new(retries: Retries) -> Self {
        Self { retries, pauses: retries.pauses(), count: 0, is_established: false, refused: None }
    }

    /// A connection has caught up.
    pub fn none(&mut self) {
        *self = Self { is_established: true, ..Self::new(self.retries) };
    }

    /// The token that was refused since the last connection that caught up.
    pub fn refused(&self) -> Option<&Token> {
        self.refused.as_ref()
    }

    /// Whether another token may help: not when one was refused already.
    pub fn refuse(&mut self, token: Option<&Token>) -> bool {
        let may_help = self.refused.is_none() && token.is_some();
        self.refused = token.cloned();
        may_help
    }

    /// Waits before the next attempt, or gives up.
    pub async fn failed(&mut self, unconnected: Unconnected) -> Result<(), Error> {
        self.count = self.count.saturating_add(1);
        let is_last = !self.is_established && self.count >= self.retries.max_attempts;
        match self.pauses.next() {
            Some(pause) if !is_last && !unconnected.is_final() => {
                sleep(pause).await;
                Ok(())
            }
            _ => {
                let attempts = std::mem::take(&mut self.count);
                Err(Error::new(unconnected.into_kind(), attempts, false))
            }
        }
    }
}
