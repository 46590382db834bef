use std::fmt::Write as _;
use std::io;
use std::net::Ipv4Addr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request as it goes over the wire, and no client in between that would mend it.
pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// In lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

pub(super) fn post<'a>(path: &'a str, body: &'a str) -> Call<'a> {
    Call { method: "POST", path, headers: &[], body: body.as_bytes() }
}

pub(super) fn get(path: &str) -> Call<'_> {
    Call { method: "GET", path, headers: &[], body: &[] }
}

impl<'a> Call<'a> {
    pub(super) fn with(mut self, headers: &'a [(&'a str, &'a str)]) -> Self {
        self.headers = headers;
        self
    }

    pub(super) async fn open(&self, port: u16) -> TcpStream {
        // HTTP/1.0: the body ends with the connection, there are no chunks to put together
        let mut head = format!(
            "{} {} HTTP/1.0\r\nhost: localhost\r\ncontent-length: {}\r\n",
            self.method,
            self.path,
            self.body.len()
        );
        for (name, value) in self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        // in one piece: an answer that resets the connection may come before a second one
        let request = [head.as_bytes(), self.body].concat();
        stream.write_all(&request).await.unwrap();
        stream
    }

    pub(super) async fn send(&self, port: u16) -> Answer {
        self.try_send(port).await.unwrap()
    }

    pub(super) async fn try_send(&self, port: u16) -> io::Result<Answer> {
        let mut read = Vec::new();
        self.open(port).await.read_to_end(&mut read).await?;
        let end = read.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(read[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        Ok(Answer { status, headers, body: read[end + 4..].to_vec() })
    }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
