//! Messages of a connection -> subscriptions, and what its client missed (`subscribe`, `unsubscribe`, `ping`)

use adapters::live::{Answer, ApiSockets, Asked, SocketEvent, SocketReply, SocketRequest, SubscriptionsTable};
use adapters::problem::{Code, Problem};
use adapters::store::DynamoStore;
use adapters::system::SystemClock;
use adapters::telemetry::{self, metrics};
use adapters::{aws, config, connections};
use domain::ports::{Clock, Message, OrderStore, PostError, RecentChanges, Sockets, Subjects, Subscriptions};
use domain::subscription::ConnectionId;
use domain::use_cases::{Subscribe, SubscribeRequest};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init(module_path!());
    let aws = aws::config()?;
    let (orders, table) = (DynamoStore::from_env(&aws)?, SubscriptionsTable::from_env(&aws)?);
    let (sockets, most_connections) = (ApiSockets::from_env(&aws)?, config::parsed("CONNECTIONS_PER_SUBJECT")?);
    let subscribe = Subscribe { orders, table, sockets, clock: SystemClock, most_connections };
    connections::made([subscribe.table.connection()]).await;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SocketEvent>| {
        let subscribe = &subscribe;
        async move {
            let LambdaEvent { payload, context } = event;
            Ok::<_, Error>(telemetry::invocation("message", &context, handle(subscribe, payload)).await)
        }
    }))
    .await
}

/// Answers over the connection, so that answers and events have one way and one order.
async fn handle<O: OrderStore, T: Subscriptions + Subjects + RecentChanges, S: Sockets, C: Clock>(
    subscribe: &Subscribe<O, T, S, C>,
    event: SocketEvent,
) -> SocketReply {
    let answered = match event.connection() {
        Ok(connection) => answer(subscribe, &event, &connection).await,
        Err(problem) => Err(PostError::Unavailable(problem.code().as_str().to_owned())),
    };
    match answered {
        Ok(()) | Err(PostError::Gone) => {}
        Err(error) => telemetry::failed(error),
    }
    SocketReply::done()
}

async fn answer<O: OrderStore, T: Subscriptions + Subjects + RecentChanges, S: Sockets, C: Clock>(
    subscribe: &Subscribe<O, T, S, C>,
    event: &SocketEvent,
    connection: &ConnectionId,
) -> Result<(), PostError> {
    let sockets = &subscribe.sockets;
    match act(subscribe, event, connection).await {
        Ok(None) => Ok(()),
        Ok(Some(answer)) => sockets.post(connection, Message::Text(&answer.text())).await,
        Err(problem) => {
            sockets.post(connection, Message::Text(&event.refusal(&problem))).await?;
            // A connection ends with its token.
            if problem.code() == Code::Unauthenticated { sockets.close(connection).await } else { Ok(()) }
        }
    }
}

/// What is still to be answered: who subscribes is told by the use case, after what was missed.
async fn act<O: OrderStore, T: Subscriptions + Subjects + RecentChanges, S: Sockets, C: Clock>(
    subscribe: &Subscribe<O, T, S, C>,
    event: &SocketEvent,
    connection: &ConnectionId,
) -> Result<Option<Answer>, Problem> {
    let (caller, expires_at) = event.caller()?;
    let request = |wanted| SubscribeRequest { caller, connection: connection.clone(), expires_at, wanted };
    match SocketRequest::read(event.text()?)? {
        Asked::Ping => Ok(Some(Answer::Pong(subscribe.clock.now()))),
        Asked::Subscribe(wanted) => {
            let order = wanted.order();
            let subscribed = subscribe.run(&request(wanted)).await;
            subscribed.map_err(|error| Problem::from(error).about_order(order))?;
            telemetry::count(&metrics::SUBSCRIPTIONS, 1);
            Ok(None)
        }
        Asked::Unsubscribe(wanted) => {
            let order = wanted.order();
            subscribe.cancel(&request(wanted)).await?;
            Ok(Some(Answer::Unsubscribed(order)))
        }
    }
}

#[cfg(test)]
mod tests;
