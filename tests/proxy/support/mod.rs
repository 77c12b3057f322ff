//! A proxy between a client and a server that both belong to the test.

use std::future::Future;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use unreset::proxy::{FaultId, FaultProxy, ListenOptions, Plan, Upstream};

/// What hangs must fail the test. Nothing here takes a fraction of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A proxy, and the server behind it.
pub struct Bench {
    pub proxy: FaultProxy,
    pub server: TcpListener,
}

/// How a peer ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Fin,
    Rst,
}

impl Bench {
    pub async fn start() -> Self {
        Self::seeded(7).await
    }

    pub async fn seeded(seed: u64) -> Self {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        Self { proxy: listen_before(port, seed).await, server }
    }

    /// The fault as a test author writes it.
    pub fn add(&self, fault: &str) -> FaultId {
        self.proxy.add(Plan::from_json(fault).unwrap())
    }

    pub async fn client(&self) -> TcpStream {
        TcpStream::connect(self.proxy.local_addr()).await.unwrap()
    }

    /// The next connection that reaches the server.
    pub async fn accept(&self) -> TcpStream {
        within(self.server.accept()).await.unwrap().0
    }

    /// Both ends of a connection through the proxy.
    pub async fn connect(&self) -> (TcpStream, TcpStream) {
        let client = self.client().await;
        (client, self.accept().await)
    }

    /// No connection has reached the server. Call it when whatever could have caused one is over.
    pub async fn assert_never_reached(&self) {
        // A connection that the proxy had made would be in the queue already, before the one made here.
        let probe = TcpStream::connect(self.server.local_addr().unwrap()).await.unwrap();
        let accepted = self.accept().await;
        assert_eq!(accepted.peer_addr().unwrap(), probe.local_addr().unwrap());
    }

    /// The timeline without its times.
    pub fn events(&self) -> Vec<Value> {
        let timeline = serde_json::to_value(self.proxy.timeline()).unwrap();
        timeline["entries"].as_array().unwrap().clone()
    }

    pub fn count(&self, event: &str) -> usize {
        self.events().iter().filter(|entry| entry["event"] == event).count()
    }

    pub async fn until(&self, reached: impl Fn(&FaultProxy) -> bool) {
        within(async {
            while !reached(&self.proxy) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
    }
}

/// A server to which a connect does not come to an end before its queue is emptied, and what fills that queue.
#[cfg(target_os = "linux")]
pub async fn overcrowded() -> (TcpListener, Vec<TcpStream>) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let server = socket.listen(1).unwrap();
    let address = server.local_addr().unwrap();
    let mut waiting = Vec::new();
    // What does not fit is not answered; on this machine an answer takes microseconds.
    while let Ok(connected) = tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await {
        waiting.push(connected.unwrap());
    }
    (server, waiting)
}

/// Where no name server can be asked, the system cannot know that there is no such name.
pub fn assert_no_such_name(code: &str) {
    assert!(["ENOTFOUND", "EAI_AGAIN"].contains(&code), "{code}");
}

pub async fn listen_before(upstream: u16, seed: u64) -> FaultProxy {
    listen_before_host("127.0.0.1", upstream, seed).await
}

pub async fn listen_before_host(upstream: &str, port: u16, seed: u64) -> FaultProxy {
    let upstream = Upstream { host: upstream.to_owned(), port };
    FaultProxy::listen(ListenOptions { host: "127.0.0.1".to_owned(), port: 0, upstream, seed }).await.unwrap()
}

/// Fails the test if it takes too long.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it hangs")
}

/// Everything that comes until the end, and the end.
pub async fn read_all(stream: &mut TcpStream) -> (Vec<u8>, Ended) {
    let mut read = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let ended = within(async {
        loop {
            match stream.read(&mut buffer).await {
                Ok(0) => return Ended::Fin,
                Ok(length) => read.extend_from_slice(&buffer[..length]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return Ended::Rst,
                Err(error) => panic!("{error}"),
            }
        }
    });
    let ended = ended.await;
    (read, ended)
}

pub async fn read_exactly(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut read = vec![0; length];
    within(stream.read_exact(&mut read)).await.unwrap();
    read
}

pub async fn write(stream: &mut TcpStream, bytes: impl AsRef<[u8]>) {
    within(stream.write_all(bytes.as_ref())).await.unwrap();
}

/// Writes as much as the other side takes: it may be struck meanwhile. `Some`: it was found to be.
pub async fn write_while_possible(stream: &mut TcpStream, bytes: &[u8]) -> Option<Ended> {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset};
    match within(stream.write_all(bytes)).await {
        Ok(()) => None,
        // The system tells of an RST once. Who hears it in writing reads a clean end afterwards.
        Err(error) if matches!(error.kind(), BrokenPipe | ConnectionReset) => Some(Ended::Rst),
        Err(error) => panic!("{error}"),
    }
}

/// Bytes of which no two neighbours are alike.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 % 251) as u8).collect()
}

/// Sends in both directions and sees it arrive.
pub async fn exchange_a_byte(client: &mut TcpStream, server: &mut TcpStream) {
    write(client, "?").await;
    assert_eq!(read_exactly(server, 1).await, b"?");
    write(server, "!").await;
    assert_eq!(read_exactly(client, 1).await, b"!");
}

/// Is there nothing to read, and the connection open? To be asked when what could have come would have come.
pub fn is_silent(stream: &TcpStream) -> bool {
    let would_block = |error: std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
    stream.try_read(&mut [0; 1]).is_err_and(would_block)
}
