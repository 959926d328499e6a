//! A server whose answer is named by the first segment of the path, and that remembers what it was asked.

#![allow(dead_code, reason = "not every test file uses all of it")]

use std::sync::{Arc, Mutex};

use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it answers.
pub struct Canned {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Answers until it is dropped.
pub struct Server {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts one that answers a call below `/<status>/` with what this makes of the status.
    pub async fn start(answer: impl Fn(u16) -> Canned) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answers: Vec<Canned> = (0..600).map(answer).collect();
        let answers = Arc::new(answers);
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&heads);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answers, seen) = (Arc::clone(&answers), Arc::clone(&seen));
                // A client that gives up is no failure of the server.
                tokio::spawn(async move { drop(serve(stream, &answers, &seen).await) });
            }
        });
        Self { url, heads, task }
    }

    /// The heads of all requests so far, in lower case.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// Where it answers this status.
    pub fn url(&self, status: u16) -> Url {
        format!("{}/{status}", self.url).parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads a head, a body as long as the head says, and answers.
async fn serve(mut stream: TcpStream, answers: &[Canned], seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut request = Vec::new();
    let head = loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            break String::from_utf8_lossy(request.get(..end).unwrap_or_default()).into_owned();
        }
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    };
    seen.lock().unwrap().push(head.to_lowercase());
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    while request.len() < head.len() + 4 + length.unwrap_or(0) {
        stream.read_buf(&mut request).await?;
    }
    let status: u16 = head.split(['/', ' ']).filter_map(|part| part.parse().ok()).next().unwrap_or(500);
    let Some(Canned { status, body }) = answers.get(usize::from(status)) else { return Ok(()) };
    let has_body = !matches!(status, 204 | 304);
    let body: &[u8] = if has_body { body } else { &[] };
    let head = format!("HTTP/1.1 {status} Canned\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    stream.shutdown().await
}
