//! `GET /orders/{id}`

use adapters::http::{ApiRequest, Problem, Reply};
use adapters::store::DynamoStore;
use adapters::{aws, connections, http, telemetry};
use domain::caller::Scope;
use domain::ports::OrderStore;
use domain::use_cases::get_order;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    telemetry::init(module_path!());
    let store = DynamoStore::from_env(&aws::config().await?)?;
    connections::made([store.connection()]).await;
    let eventual = store.eventually_consistent();
    http::serve(|request| handle(&store, &eventual, request)).await
}

async fn handle<S: OrderStore>(store: &S, eventual: &S, request: ApiRequest) -> Result<Reply, Problem> {
    let caller = request.caller(Scope::Read)?;
    let (id, known) = (request.order_id()?, request.header("if-none-match"));
    if request.prefers_eventual_consistency() {
        let order = get_order(eventual, &caller, id).await?;
        return Ok(Reply::order(&order, known)?.eventually_consistent());
    }
    Reply::order(&get_order(store, &caller, id).await?, known)
}

#[cfg(test)]
mod tests {
    use adapters::testing;
    use domain::memory::{MemoryStore, sample};

    use super::*;

    #[tokio::test]
    async fn the_sample_event_reads_an_order() {
        let store = MemoryStore::default();
        store.insert(&sample::order()).await.unwrap();
        let (status, headers, body) =
            testing::parts(handle(&store, &MemoryStore::default(), testing::sample_request("get-order")).await);
        assert_eq!((status, body["id"].as_str()), (200, Some("0192f0c1-7a3e-7cc0-8000-000000000001")));
        assert_eq!(headers["etag"], "\"1\"");
    }

    #[tokio::test]
    async fn an_order_that_does_not_exist_is_a_problem() {
        let (status, headers, body) = testing::parts(
            handle(&MemoryStore::default(), &MemoryStore::default(), testing::sample_request("get-order")).await,
        );
        assert_eq!((status, body["code"].as_str()), (404, Some("order_not_found")));
        assert_eq!(headers["content-type"], "application/problem+json");
    }

    #[tokio::test]
    async fn a_client_that_prefers_it_gets_an_eventually_consistent_read_and_is_told() {
        let (store, eventual) = (MemoryStore::default(), MemoryStore::default());
        store.insert(&sample::order()).await.unwrap();
        eventual.insert(&sample::bare_order()).await.unwrap();
        let read = async |preference: &'static str| {
            let request = testing::attempt("get-order", "lambda", |event| {
                event["multiValueHeaders"]["prefer"] = serde_json::json!([preference]);
            });
            let (status, headers, body) = testing::parts(handle(&store, &eventual, request).await);
            let applied = headers.get("preference-applied").map(|value| value.to_str().unwrap().to_owned());
            (status, body["status"].as_str().unwrap().to_owned(), applied)
        };
        let applied = Some("consistency=eventual".to_owned());
        assert_eq!(read("consistency=eventual").await, (200, "pending".to_owned(), applied));
        assert_eq!(read("respond-async").await, (200, "confirmed".to_owned(), None));
    }

    #[tokio::test]
    async fn the_answers_have_the_shape_that_clients_know() {
        let store = MemoryStore::default();
        let read = async |change: fn(&mut serde_json::Value)| {
            testing::shape(
                handle(&store, &MemoryStore::default(), testing::attempt("get-order", "lambda", change)).await,
            )
        };
        insta::assert_snapshot!("not_found", read(|_| {}).await);
        store.insert(&sample::bare_order()).await.unwrap();
        insta::assert_snapshot!("order", read(|_| {}).await);
        let known =
            |event: &mut serde_json::Value| event["multiValueHeaders"]["if-none-match"] = serde_json::json!(["\"1\""]);
        insta::assert_snapshot!("not_modified", read(known).await);
    }
}
