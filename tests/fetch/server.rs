//! A web server that answers exactly what a test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A port at which nobody listens.
pub const NOBODY: &str = "http://127.0.0.1:1";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub path: String,
    /// `Some(5)` for `Range: bytes=5-`.
    pub range: Option<usize>,
}

/// Bytes to send, and whether to keep silent then, instead of closing the connection.
pub struct Reply {
    pub bytes: Vec<u8>,
    pub then_silent: bool,
}

impl Reply {
    pub fn new(status: &str, headers: &[(&str, String)], body: &[u8]) -> Self {
        let mut text = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        let mut bytes = (text + "\r\n").into_bytes();
        bytes.extend(body);
        let then_silent = false;
        Reply { bytes, then_silent }
    }

    /// What an honest server answers that knows ranges.
    pub fn honest(request: &Request, body: &[u8]) -> Self {
        let total = body.len();
        match request.range {
            None => Reply::announcing(total, body),
            Some(start) if start >= total => Reply::new("416 Range Not Satisfiable", &[], b""),
            Some(start) => {
                let range = format!("bytes {start}-{}/{total}", total - 1);
                Reply::part(&range, total - start, &body[start..])
            }
        }
    }

    /// Status 200 with any length.
    pub fn announcing(length: usize, body: &[u8]) -> Self {
        Reply::new("200 OK", &[("Content-Length", length.to_string())], body)
    }

    /// Status 206 with any range and length.
    pub fn part(range: &str, length: usize, body: &[u8]) -> Self {
        let headers = [
            ("Content-Range", range.to_string()),
            ("Content-Length", length.to_string()),
        ];
        Reply::new("206 Partial Content", &headers, body)
    }

    pub fn status(status: &str) -> Self {
        Reply::new(status, &[("Content-Length", "0".to_string())], b"")
    }

    /// The same, but for the last bytes.
    pub fn cut(mut self, bytes: usize) -> Self {
        self.bytes.truncate(self.bytes.len() - bytes);
        self
    }

    pub fn nothing() -> Self {
        Reply {
            bytes: Vec::new(),
            then_silent: false,
        }
    }
}

pub struct Server {
    pub address: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Serves until the test ends; `answer` is given the number of the request, from 0 on.
    pub fn start(mut answer: impl FnMut(usize, &Request) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let stream = stream.expect("a connection");
                let request = read_request(&stream);
                log.lock().expect("whole").push(request.clone());
                send(stream, answer(number, &request));
            }
        });
        Server { address, requests }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("whole").clone()
    }

    /// Where each request began.
    pub fn ranges(&self) -> Vec<Option<usize>> {
        let requests = self.requests();
        requests.iter().map(|request| request.range).collect()
    }
}

fn read_request(stream: &TcpStream) -> Request {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let lines: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let path = lines.first().and_then(|line| line.split(' ').nth(1));
    let range = lines.iter().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let start = value.strip_prefix("bytes=")?.strip_suffix('-')?;
        name.eq_ignore_ascii_case("range")
            .then(|| start.parse().expect("a number"))
    });
    Request {
        path: path.unwrap_or_default().to_string(),
        range,
    }
}

fn send(mut stream: TcpStream, reply: Reply) {
    // The client may have seen enough.
    let _ = stream.write_all(&reply.bytes);
    if reply.then_silent {
        thread::spawn(move || stream.read(&mut [0]));
    }
}
