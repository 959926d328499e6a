//! The HTTP client of the SDK: that of the calls of partners, so that a function has one HTTP stack, and none of HTTP/2,
//! which the SDK's own client brings along.

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use lambda_http::http::Response;
use reqwest::{Body, Client, Request};

/// Sends the requests of the SDK, which looks after retries and timeouts itself.
#[derive(Debug, Clone)]
pub(super) struct SdkHttpClient(pub Client);

impl HttpClient for SdkHttpClient {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for SdkHttpClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
                capture.set_connection_retriever(|| Some(connection()));
            }
            let request = Request::try_from(request.map(Body::wrap)).map_err(failure)?;
            let response = Response::from(client.execute(request).await.map_err(failure)?);
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// What the SDK is told of a connection. It asks for one to be closed after an answer of 5xx, which `reqwest` cannot do: the
/// next attempt may go over it again.
fn connection() -> ConnectionMetadata {
    ConnectionMetadata::builder().proxied(false).poison_fn(|| ()).build()
}

/// What the SDK may try again is told apart from what is wrong with the request.
fn failure(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if error.is_builder() {
        ConnectorError::user(error.into())
    } else {
        ConnectorError::io(error.into())
    }
}

#[cfg(test)]
mod tests {
    use aws_config::{Region, SdkConfig};
    use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

    /// A server that leaves its first callers without an answer, and the heads of all requests that it is sent.
    async fn server(unanswered: usize) -> (SdkConfig, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let heads = tokio::spawn(async move {
            let mut heads = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.windows(4).any(|window| window == b"\r\n\r\n") {
                    stream.read_buf(&mut request).await.unwrap();
                }
                heads.push(String::from_utf8_lossy(&request).into_owned());
                if heads.len() > unanswered {
                    stream.write_all(ANSWER).await.unwrap();
                    return heads;
                }
            }
        });
        let config = crate::aws::config().unwrap().into_builder();
        let config = config
            .endpoint_url(endpoint)
            .region(Region::from_static("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
            .build();
        (config, heads)
    }

    #[tokio::test]
    async fn a_call_whose_connection_breaks_is_tried_again() {
        let (config, heads) = server(2).await;
        let call = aws_sdk_dynamodb::Client::new(&config).list_tables().send().await;
        assert!(call.is_ok(), "{call:?}");
        assert_eq!(heads.await.unwrap().len(), 3);
    }

    #[tokio::test]
    async fn a_path_is_sent_as_it_was_signed() {
        let (config, heads) = server(0).await;
        let client = aws_sdk_apigatewaymanagement::Client::new(&config);
        client.get_connection().connection_id("L0/S../M9c=").send().await.unwrap();
        let heads = heads.await.unwrap();
        assert!(heads[0].starts_with("GET /@connections/L0%2FS..%2FM9c%3D HTTP/1.1\r\n"), "{}", heads[0]);
    }
}
