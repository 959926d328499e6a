//! A bucket in memory, on loopback: as much of S3 as an export asks for.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters::exports::ExportBucket;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Config, Credentials, Region, RequestChecksumCalculation};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

/// What is in the bucket, and how long it takes to complete a file.
#[derive(Debug, Clone, Default)]
pub struct Bucket(Arc<Mutex<Content>>, Duration);

#[derive(Debug, Default)]
struct Content {
    begun: usize,
    uploads: HashMap<String, BTreeMap<i32, Bytes>>,
    files: HashMap<String, Bytes>,
}

type Parameters = Query<HashMap<String, String>>;

impl Bucket {
    /// One that takes so long to complete a file.
    pub fn slow(completion: Duration) -> Self {
        Self(Arc::default(), completion)
    }

    /// Where it is, once it serves.
    pub async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/exports/{*key}", axum::routing::any(answer));
        let router = router.layer(DefaultBodyLimit::disable()).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        endpoint
    }

    /// The file of this key.
    pub fn file(&self, key: &str) -> Option<Vec<u8>> {
        self.0.lock().unwrap().files.get(key).map(|file| file.to_vec())
    }

    fn answer(&self, method: &Method, key: String, query: &HashMap<String, String>, body: Bytes) -> Response {
        let mut content = self.0.lock().unwrap();
        let upload = query.get("uploadId");
        match (method, upload) {
            (&Method::POST, None) => {
                content.begun += 1;
                let id = format!("upload-{}", content.begun);
                content.uploads.insert(id.clone(), BTreeMap::new());
                xml("InitiateMultipartUploadResult", &format!("<UploadId>{id}</UploadId>"))
            }
            (&Method::PUT, Some(upload)) => match content.uploads.get_mut(upload) {
                None => no_such_upload(),
                Some(parts) => {
                    let tag = tag(&body);
                    parts.insert(query["partNumber"].parse().unwrap(), body);
                    [("ETag", tag)].into_response()
                }
            },
            (&Method::POST, Some(upload)) => {
                let wanted = String::from_utf8(body.to_vec()).unwrap();
                content.complete(key, upload, &wanted)
            }
            (&Method::GET | &Method::HEAD, None) => match content.files.get(&key) {
                Some(file) => file.clone().into_response(),
                None => StatusCode::NOT_FOUND.into_response(),
            },
            other => panic!("an export asks for no {other:?}"),
        }
    }
}

impl Content {
    fn complete(&mut self, key: String, upload: &str, wanted: &str) -> Response {
        let Some(parts) = self.uploads.get(upload) else { return no_such_upload() };
        let mut file = Vec::new();
        for part in wanted.split("<Part>").skip(1) {
            let number: i32 = text(part, "PartNumber").parse().unwrap();
            match parts.get(&number).filter(|bytes| tag(bytes) == text(part, "ETag").replace("&quot;", "\"")) {
                Some(bytes) => file.extend_from_slice(bytes),
                None => return refusal("InvalidPart"),
            }
        }
        self.uploads.remove(upload);
        self.files.insert(key, file.into());
        xml("CompleteMultipartUploadResult", "")
    }
}

async fn answer(
    State(bucket): State<Bucket>,
    method: Method,
    Path(key): Path<String>,
    Query(query): Parameters,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    assert!(headers["authorization"].to_str().unwrap().starts_with("AWS4-HMAC-SHA256"), "{headers:?}");
    if (&method, query.contains_key("uploadId")) == (&Method::POST, true) {
        tokio::time::sleep(bucket.1).await;
    }
    bucket.answer(&method, key, &query, body)
}

fn tag(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

/// What stands between the tags of this name.
fn text<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap();
    rest.split_once('<').unwrap().0
}

fn xml(name: &str, members: &str) -> Response {
    let namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    format!(r#"<?xml version="1.0"?><{name} xmlns="{namespace}">{members}</{name}>"#).into_response()
}

fn no_such_upload() -> Response {
    (StatusCode::NOT_FOUND, refusal("NoSuchUpload")).into_response()
}

fn refusal(code: &str) -> Response {
    let error = format!(r#"<?xml version="1.0"?><Error><Code>{code}</Code><Message>no</Message></Error>"#);
    (StatusCode::BAD_REQUEST, error).into_response()
}

/// The bucket at this address, as exports use it, with so much time for a part.
pub fn files(endpoint: &str, part: Duration) -> ExportBucket {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::for_tests())
        .region(Region::from_static("eu-central-1"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .timeout_config(TimeoutConfig::builder().operation_timeout(part).build())
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .http_client(adapters::aws::http_client().unwrap())
        .build();
    ExportBucket::new(Client::from_conf(config), "exports")
}
