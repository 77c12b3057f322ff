//! A TCP server that does to each connection what the test says.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The number of the connection it came over, from 0.
    pub connection: usize,
    pub line: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| &**value)
    }
}

/// Ends with all its connections when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Runs `on_connection` for each accepted connection.
    pub async fn start<F, Fut>(on_connection: F) -> Self
    where
        F: Fn(Peer) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener, on_connection)
    }

    pub fn on<F, Fut>(listener: TcpListener, on_connection: F) -> Self
    where
        F: Fn(Peer) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let seen_by_peers = Arc::clone(&seen);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut peers = JoinSet::new();
            for number in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let seen = Arc::clone(&seen_by_peers);
                peers.spawn(on_connection(Peer { stream, number, seen, unread: Vec::new() }));
            }
        });
        Server { address, seen, _tasks: tasks }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests that were read to their end, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// The server's end of one connection. `S` is TLS in the tests of it.
pub struct Peer<S = TcpStream> {
    pub stream: S,
    /// From 0.
    pub number: usize,
    pub seen: Arc<Mutex<Vec<Seen>>>,
    pub unread: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    /// Reads one request and notes it. `None` when the client closed instead.
    pub async fn request(&mut self) -> Option<Seen> {
        let head = self.head().await?;
        let body = self.rest(&head).await?;
        let seen = Seen { body, ..head };
        self.seen.lock().unwrap().push(seen.clone());
        Some(seen)
    }

    /// Reads up to the end of the head.
    pub async fn head(&mut self) -> Option<Seen> {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.unread.drain(..end).collect()).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let line = lines.next().unwrap().to_owned();
        let headers = lines
            .map(|line| line.split_once(':').unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Some(Seen { connection: self.number, line, headers, body: Vec::new() })
    }

    async fn rest(&mut self, head: &Seen) -> Option<Vec<u8>> {
        if head.header("transfer-encoding") == Some("chunked") {
            let mut body = Vec::new();
            loop {
                let size = self.line().await?;
                let size = usize::from_str_radix(&size, 16).unwrap();
                body.extend(self.exactly(size).await?);
                self.line().await?;
                if size == 0 {
                    return Some(body);
                }
            }
        }
        let length = head.header("content-length").map_or(0, |length| length.parse().unwrap());
        self.exactly(length).await
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.unread.windows(2).position(|window| window == b"\r\n") {
                let line = self.unread.drain(..at + 2).collect();
                return Some(String::from_utf8(line).unwrap().trim_end().to_owned());
            }
            self.more().await?;
        }
    }

    async fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.unread.len() < length {
            self.more().await?;
        }
        Some(self.unread.drain(..length).collect())
    }

    pub async fn more(&mut self) -> Option<()> {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer).await {
            Ok(0) | Err(_) => None,
            Ok(read) => {
                self.unread.extend_from_slice(&buffer[..read]);
                Some(())
            }
        }
    }

    pub async fn write(&mut self, raw: impl AsRef<[u8]>) {
        // The client may be gone by design.
        let _ = self.stream.write_all(raw.as_ref()).await;
        let _ = self.stream.flush().await;
    }

    /// `status` as in "200 OK", `headers` as lines that end in CRLF.
    pub async fn respond_with(&mut self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        self.write(format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}")).await;
    }

    pub async fn respond(&mut self, status: &str, body: &str) {
        self.respond_with(status, "", body).await;
    }

    /// Answers every request with its body, until the client closes.
    pub async fn echo(mut self) {
        while let Some(seen) = self.request().await {
            let body = String::from_utf8(seen.body).unwrap();
            self.respond("200 OK", &body).await;
        }
    }

    /// Waits until the client has closed its end.
    pub async fn until_closed(&mut self) {
        while self.more().await.is_some() {}
    }
}

impl Peer {
    /// Ends the connection with RST.
    pub fn reset(self) {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }
}

/// A port where connections are neither accepted nor refused: its queue is full. Dropping it frees the port.
pub struct FullPort {
    pub address: SocketAddr,
    _listener: Option<socket2::Socket>,
    _waiting: Vec<socket2::Socket>,
}

impl FullPort {
    pub fn new() -> Self {
        use socket2::{Domain, Socket, Type};
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        FullPort { address, _listener: Some(listener), _waiting: fill(address) }
    }

    /// Fills the queue of somebody else's listener.
    pub fn fill_up(address: SocketAddr) -> Self {
        FullPort { address, _listener: None, _waiting: fill(address) }
    }
}

/// Connects until a connection is no longer taken into the queue.
fn fill(address: SocketAddr) -> Vec<socket2::Socket> {
    use socket2::{Domain, Socket, Type};
    let mut waiting = Vec::new();
    loop {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let queued = socket.connect_timeout(&address.into(), Duration::from_millis(200)).is_ok();
        waiting.push(socket);
        if !queued {
            return waiting;
        }
    }
}
