//! Tokens come from whoever provides them, attempt by attempt.

use std::sync::atomic::{AtomicU32, Ordering};

use order_service_client::{ErrorKind, ProblemKind, Token, TokenFuture, TokenProvider};
use serde_json::json;

use crate::script::{ID, Service, answer, order, problem};

/// A cache of one token, which is replaced when the service refuses it.
struct Cache(AtomicU32);

impl TokenProvider for Cache {
    fn token<'a>(&'a self, refused: Option<&'a Token>) -> TokenFuture<'a> {
        let renewals =
            refused.map_or_else(|| self.0.load(Ordering::SeqCst), |_| self.0.fetch_add(1, Ordering::SeqCst) + 1);
        Box::pin(async move { Ok(Token::new(format!("token-{renewals}"))) })
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() {
    let refused = || problem(401, "unauthenticated");
    let service = Service::start([refused(), answer(200, &order(1, "confirmed"))]).await;
    let client = service.builder().token(Cache(AtomicU32::new(0))).build().unwrap();
    client.order(ID.parse().unwrap()).await.unwrap();
    assert_eq!(service.headers("authorization"), ["Bearer token-0", "Bearer token-1"]);
    let service = Service::start([refused(), refused(), refused()]).await;
    let client = service.builder().token(Cache(AtomicU32::new(0))).build().unwrap();
    let error = client.order(ID.parse().unwrap()).await.unwrap_err();
    assert_eq!((error.problem_kind(), error.attempts()), (Some(&ProblemKind::Unauthenticated), 2));
}

#[tokio::test]
async fn a_fixed_token_that_is_refused_is_not_sent_again() {
    let service = Service::start([problem(401, "unauthenticated")]).await;
    let error = service.client().order(ID.parse().unwrap()).await.unwrap_err();
    assert_eq!(error.attempts(), 1);
}

#[tokio::test]
async fn a_closure_provides_tokens_and_may_fail() {
    let service = Service::start([answer(200, &order(1, "confirmed"))]).await;
    let tokens = || async { Ok::<_, std::io::Error>(Token::new("from-a-closure")) };
    service.builder().token(tokens).build().unwrap().order(ID.parse().unwrap()).await.unwrap();
    assert_eq!(service.headers("authorization"), ["Bearer from-a-closure"]);
    let none = || async { Err::<Token, _>(std::io::Error::other("the identity provider is down")) };
    let error = service.builder().token(none).build().unwrap().order(ID.parse().unwrap()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Token(_)), "{error:?}");
    assert_eq!(service.requests().len(), 1, "nothing was sent without a token");
}

#[tokio::test]
async fn health_is_asked_for_without_a_token() {
    let health =
        json!({"status": "ok", "version": "0.1.0", "region": "us-east-1", "fakes": [], "circuits": {}, "new": 1});
    let service = Service::start([answer(200, &health)]).await;
    assert_eq!(service.client().health().await.unwrap().status, "ok");
    assert_eq!(service.headers("authorization"), [""]);
}
