//! The identity provider is down: whose key is known goes on, in old and in new environments, and nobody is told 5xx.

use e2e::{Functions, Shop, order_of};
use hostile_tokens::Issuer;
use serde_json::{Value, json};
use uuid::Uuid;

/// The shop with a token that the gateway has not seen, so that the authorizer is asked.
async fn with_new_token(shop: &Shop) -> Shop {
    let claims = json!({"tenant": shop.tenant, "sub": Uuid::new_v4().to_string(), "scope": "orders:read orders:write"});
    shop.with_token(shop.partners.token(claims).await)
}

/// A token that a key signed which the issuer does not publish.
fn of_unknown_key() -> String {
    let seed: [u8; 32] = [*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat().try_into().unwrap();
    Issuer::new(&seed, "https://issuer.example", "orders", &Uuid::new_v4().to_string()).valid_token()
}

async fn places(shop: &Shop, body: &Value) -> u16 {
    shop.place(&Uuid::new_v4().to_string(), body).await.status
}

#[tokio::test]
async fn known_keys_work_and_new_ones_are_refused_while_the_identity_provider_is_down() {
    let shop = Shop::open().await;
    crate::calm(&shop).await;
    let body = order_of(&[(&shop.product(1_000).await, 1)]);
    let mut statuses = Vec::new();
    for kind in ["hang", "reset"] {
        shop.partners.fault_of_keys(kind).await;
        for is_cold in [false, true] {
            let killed = if is_cold { Functions::named("AuthorizeFunction").kill() } else { 1 };
            assert!(killed > 0, "no environment of the authorizer was there");
            for _ in 0..5 {
                let known = places(&with_new_token(&shop).await, &body).await;
                let unknown = places(&shop.with_token(of_unknown_key()), &body).await;
                statuses.push((kind, is_cold, known, unknown));
            }
        }
    }
    shop.partners.fault_of_keys("none").await;
    let wrong: Vec<_> = statuses.iter().filter(|(_, _, known, unknown)| (*known, *unknown) != (201, 401)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
