//! JWT -> tenant, subject, scopes and expiry in the request context (API Gateway Lambda authorizer), of requests and of
//! WebSocket handshakes

use std::collections::HashMap;

use adapters::outbound::PartnerClient;
use adapters::telemetry::{self, Line, metrics};
use adapters::token::{Claims, TokenConfig, TokenError, TokenVerifier};
use adapters::usage_keys::UsageKeys;
use adapters::{connections, live};
use aws_lambda_events::apigw::{ApiGatewayCustomAuthorizerPolicy, ApiGatewayCustomAuthorizerResponse};
use aws_lambda_events::iam::{IamPolicyEffect, IamPolicyStatement};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};

/// What the gateway asks: of a request it hands over the header `Authorization`, of a handshake all headers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Question {
    #[serde(default)]
    method_arn: String,
    #[serde(default)]
    authorization_token: Option<String>,
    #[serde(default)]
    headers: Option<HashMap<String, String>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(module_path!());
    let aws = adapters::aws::config()?;
    let verifier = TokenVerifier::new(TokenConfig::from_env(&PartnerClient::new()?, &aws)?);
    let usage_keys = UsageKeys::from_env();
    connections::made([verifier.connection()]).await;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Question>| {
        let (verifier, usage_keys) = (&verifier, &usage_keys);
        async move { handle(verifier, usage_keys, event.payload).await }
    }))
    .await
}

/// API Gateway answers 401 when an authorizer fails with exactly this word, and 500 for any other failure.
const UNAUTHORIZED: &str = "Unauthorized";

async fn handle(
    verifier: &TokenVerifier,
    usage_keys: &UsageKeys,
    question: Question,
) -> Result<ApiGatewayCustomAuthorizerResponse, Error> {
    let Question { method_arn, authorization_token, headers } = question;
    let authorization = authorization_token.or_else(|| live::authorization(&headers?)).unwrap_or_default();
    let outcome = verifier.verify(&authorization).await;
    line_of(&outcome).write();
    match outcome {
        Ok(claims) => {
            let usage_key = usage_keys.of(&claims.tenant);
            Ok(allow(claims, &method_arn, usage_key))
        }
        Err(TokenError::NoScope) => Ok(deny(&method_arn)),
        Err(_) => Err(UNAUTHORIZED.into()),
    }
}

/// What the log says of a token: never a part of it. By its metric a release that refuses every token is taken back.
fn line_of(outcome: &Result<Claims, TokenError>) -> Line {
    match outcome {
        Ok(claims) => Line::info("a token was accepted")
            .with("tenant", claims.tenant.as_str())
            .measured(&metrics::TOKENS_REFUSED, 0),
        Err(error) => {
            Line::info("a token was refused").with("cause", error.to_string()).measured(&metrics::TOKENS_REFUSED, 1)
        }
    }
}

/// Allows every route of the stage, since API Gateway caches the answer per token; scopes are checked by the routes.
fn allow(claims: Claims, method_arn: &str, usage_key: Option<String>) -> ApiGatewayCustomAuthorizerResponse {
    let mut response = verdict(IamPolicyEffect::Allow, method_arn);
    response.principal_id = Some(claims.subject.clone());
    response.context = context(claims);
    response.usage_identifier_key = usage_key;
    response
}

/// Denies every route: what a valid token does not allow is answered 403, without a route's function being started.
fn deny(method_arn: &str) -> ApiGatewayCustomAuthorizerResponse {
    let mut response = verdict(IamPolicyEffect::Deny, method_arn);
    response.principal_id = Some("nobody".to_owned());
    response.context = json!({});
    response
}

fn verdict(effect: IamPolicyEffect, method_arn: &str) -> ApiGatewayCustomAuthorizerResponse {
    let mut statement = IamPolicyStatement::default();
    statement.action = vec!["execute-api:Invoke".to_owned()];
    statement.effect = effect;
    statement.resource = vec![every_route(method_arn)];
    let mut policy = ApiGatewayCustomAuthorizerPolicy::default();
    policy.version = Some("2012-10-17".to_owned());
    policy.statement = vec![statement];
    let mut response = ApiGatewayCustomAuthorizerResponse::default();
    response.policy_document = policy;
    response
}

/// `arn:…:<api>/<stage>/<method>/<path>` -> `arn:…:<api>/<stage>/*`
fn every_route(method_arn: &str) -> String {
    let stage: Vec<&str> = method_arn.splitn(3, '/').take(2).collect();
    format!("{}/*", stage.join("/"))
}

/// What the routes are told, under names of their own, as text: API Gateway hands nothing else over.
fn context(claims: Claims) -> Value {
    let Claims { tenant, subject, scopes, customer, expires_at } = claims;
    let scope = scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ");
    let mut context = json!({"tenant": tenant.as_str(), "sub": subject, "scope": scope, "exp": expires_at.to_string()});
    if let (Some(members), Some(customer)) = (context.as_object_mut(), customer) {
        members.insert("customer_id".to_owned(), customer.as_str().into());
    }
    context
}

#[cfg(test)]
mod tests {
    use adapters::testing::{self, TestIssuer};

    use super::*;

    fn request(token: &str) -> Question {
        let mut request: Question = testing::sample_event("authorize");
        request.authorization_token = Some(token.to_owned());
        request
    }

    fn usage_keys() -> UsageKeys {
        UsageKeys::new(Some("shared-by-all-others".to_owned()), "acme")
    }

    async fn verdict_on(token: &str) -> Result<ApiGatewayCustomAuthorizerResponse, String> {
        handle(&TestIssuer::verifier(), &usage_keys(), request(token)).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn the_sample_event_holds_no_usable_token_and_is_refused() {
        let sample = handle(&TestIssuer::verifier(), &usage_keys(), testing::sample_event("authorize")).await;
        assert_eq!(sample.unwrap_err().to_string(), UNAUTHORIZED);
    }

    #[tokio::test]
    async fn a_valid_token_puts_tenant_subject_and_scope_into_the_context() {
        let token = TestIssuer::token(&json!({"tenant": "demo", "sub": "shop", "scope": "orders:read"}));
        let response = verdict_on(&format!("Bearer {token}")).await.unwrap();
        let mut context = response.context;
        let expires_at: u64 = context["exp"].take().as_str().unwrap().parse().unwrap();
        assert!(expires_at > 1_700_000_000);
        assert_eq!(context, json!({"tenant": "demo", "sub": "shop", "scope": "orders:read", "exp": null}));
        let resource = &response.policy_document.statement[0].resource[0];
        assert_eq!(resource, "arn:aws:execute-api:eu-central-1:123456789012:api1234567/v1/*");
    }

    #[tokio::test]
    async fn a_handshake_carries_its_token_in_a_header_or_as_a_subprotocol() {
        let token = TestIssuer::token(&json!({"tenant": "demo", "sub": "shop", "scope": "orders:read"}));
        let arn = "arn:aws:execute-api:eu-central-1:123456789012:api1234567/v1/$connect";
        let verdict_on = async |headers: Value| {
            let question = json!({"type": "REQUEST", "methodArn": arn, "headers": headers});
            let question = serde_json::from_value(question).unwrap();
            handle(&TestIssuer::verifier(), &usage_keys(), question).await.map_err(|error| error.to_string())
        };
        for headers in [
            json!({"Authorization": format!("Bearer {token}")}),
            json!({"Sec-WebSocket-Protocol": format!("orders.v1, bearer.{token}")}),
        ] {
            let response = verdict_on(headers).await.unwrap();
            assert_eq!(response.context["tenant"], "demo");
            let resource = &response.policy_document.statement[0].resource[0];
            assert_eq!(resource, "arn:aws:execute-api:eu-central-1:123456789012:api1234567/v1/*");
        }
        for headers in [json!({}), json!({"Sec-WebSocket-Protocol": "orders.v1"}), Value::Null] {
            assert_eq!(verdict_on(headers).await.unwrap_err(), UNAUTHORIZED);
        }
    }

    #[tokio::test]
    async fn everything_that_the_routes_go_by_is_handed_over_as_the_token_says_it() {
        let said = json!({
            "tenant": "demo", "sub": "app", "scope": "openid orders:write orders:read", "customer_id": "cust-1",
            "exp": 4_000_000_000_u64,
        });
        let response = verdict_on(&format!("Bearer {}", TestIssuer::token(&said))).await.unwrap();
        let expected = json!({
            "tenant": "demo", "sub": "app", "scope": "orders:read orders:write", "customer_id": "cust-1",
            "exp": "4000000000",
        });
        assert_eq!((response.context, response.principal_id.as_deref()), (expected, Some("app")));
        let statement = &response.policy_document.statement[0];
        assert_eq!(
            (&statement.effect, statement.action.as_slice()),
            (&IamPolicyEffect::Allow, &["execute-api:Invoke".to_owned()][..])
        );
    }

    #[tokio::test]
    async fn the_answer_names_the_key_that_the_storefronts_requests_are_counted_under() {
        let key_of = async |tenant: &str| {
            let token = TestIssuer::token(&json!({"tenant": tenant, "sub": "shop", "scope": "orders:read"}));
            let answer = serde_json::to_value(verdict_on(&format!("Bearer {token}")).await.unwrap()).unwrap();
            answer["usageIdentifierKey"].as_str().unwrap().to_owned()
        };
        assert_eq!(key_of("demo").await, "shared-by-all-others");
        assert_eq!(key_of("acme").await.len(), 64);
    }

    #[tokio::test]
    async fn every_token_counts_as_refused_or_not_and_the_line_says_why() {
        let claims = json!({"tenant": "demo", "sub": "shop", "scope": "orders:read"});
        let unscoped = json!({"tenant": "demo", "sub": "shop", "scope": "email"});
        for (token, refused, cause) in [
            (TestIssuer::token(&claims), 0, None),
            (TestIssuer::foreign_token(&claims), 1, Some(TokenError::Signature)),
            (TestIssuer::token(&unscoped), 1, Some(TokenError::NoScope)),
        ] {
            let outcome = TestIssuer::verifier().verify(&format!("Bearer {token}")).await;
            let line = line_of(&outcome).into_json();
            assert_eq!(line["TokensRefused"], json!(refused), "{line}");
            assert_eq!(line.get("cause"), cause.map(|cause| json!(cause.to_string())).as_ref());
            assert!(!line.to_string().contains(&token[token.len() - 20..]), "{line}");
        }
    }

    #[tokio::test]
    async fn a_token_that_is_not_valid_is_refused_and_one_without_a_scope_is_denied() {
        let base = json!({"tenant": "demo", "sub": "shop", "scope": "orders:read"});
        for header in [
            format!("Bearer {}", TestIssuer::foreign_token(&base)),
            format!("Basic {}", TestIssuer::token(&base)),
            "Bearer a.b.c".to_owned(),
        ] {
            assert_eq!(verdict_on(&header).await.unwrap_err(), UNAUTHORIZED, "{header}");
        }
        let unscoped = TestIssuer::token(&json!({"tenant": "demo", "sub": "shop", "scope": "email"}));
        let response = verdict_on(&format!("Bearer {unscoped}")).await.unwrap();
        let statement = &response.policy_document.statement[0];
        assert_eq!(statement.effect, IamPolicyEffect::Deny);
        assert_eq!(statement.resource, ["arn:aws:execute-api:eu-central-1:123456789012:api1234567/v1/*"]);
        assert_eq!(serde_json::to_value(&response).unwrap()["context"], json!({}));
    }
}
