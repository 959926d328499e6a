//! Where the bearer token of a call comes from.

use std::error::Error as StdError;
use std::fmt;
use std::pin::Pin;

type BoxError = Box<dyn StdError + Send + Sync>;

/// A bearer token. It is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The token as the identity provider issued it.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// The token itself: a secret.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(..)")
    }
}

/// Gives each attempt its token. Implemented for a fixed [`Token`] and for closures that return a future of one:
///
/// ```
/// # use order_service_client::{Client, Token};
/// # async fn cached_token() -> Result<String, std::io::Error> { Ok(String::new()) }
/// let client = Client::builder("https://orders.example/v1").token(|| async { cached_token().await.map(Token::new) });
/// ```
pub trait TokenProvider: Send + Sync + 'static {
    /// A token that is valid now. It is asked for before every attempt, so an implementation should keep its token
    /// until shortly before it expires.
    ///
    /// `refused` is the token that the service has just answered 401 to: return another, or the same when there is no
    /// other, which ends the call with the 401.
    fn token<'a>(&'a self, refused: Option<&'a Token>) -> TokenFuture<'a>;
}

/// What [`TokenProvider::token`] returns.
pub type TokenFuture<'a> = Pin<Box<dyn Future<Output = Result<Token, BoxError>> + Send + 'a>>;

impl TokenProvider for Token {
    fn token<'a>(&'a self, _: Option<&'a Token>) -> TokenFuture<'a> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }
}

impl<F, Answer, E> TokenProvider for F
where
    F: Fn() -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Result<Token, E>> + Send + 'static,
    E: Into<BoxError>,
{
    fn token<'a>(&'a self, _: Option<&'a Token>) -> TokenFuture<'a> {
        let answer = self();
        Box::pin(async { answer.await.map_err(Into::into) })
    }
}
