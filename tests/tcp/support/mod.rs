//! A socket whose events a test can wait for, and both ends of its connections.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use unreset::fault::Fault;
use unreset::policy::{Backoff, FastRandom};
use unreset::proxy::{FaultProxy, ListenOptions, Plan, Upstream};
use unreset::tcp::event::{Connected, End, Event, Loss, Owner, Return};
use unreset::tcp::frame::Frame;
use unreset::tcp::gate::Gate;
use unreset::tcp::options::{Options, Target};
use unreset::tcp::queue::Fate;
use unreset::tcp::reconnect::Reconnect;
use unreset::tcp::{Socket, Task};

/// What a socket reads before it is taken.
pub const READ_AHEAD: usize = 512 * 1024;

/// What hangs must fail the test. Nothing here takes a fraction of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fails the test if it takes too long.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it hangs")
}

/// To a port of this machine, coming back quickly and as often as it likes.
pub fn to(port: u16) -> Options {
    let backoff = Backoff { base: Duration::from_millis(1), cap: Duration::from_millis(20) };
    Options {
        reconnect: Reconnect { backoff, ..Reconnect::default() },
        gate: Arc::new(Gate::new(1_000_000)),
        ..Options::to(Target::Tcp { host: "127.0.0.1".to_owned(), port })
    }
}

/// As [`to`]: each line is a message.
pub fn lines_to(port: u16) -> Options {
    Options { frame: Some(Frame::Delimiter(b"\n".as_slice().into())), ..to(port) }
}

/// A socket and what it has told. It ends when it is dropped.
pub struct Client {
    pub socket: Socket,
    pub events: mpsc::UnboundedReceiver<Event>,
    task: JoinHandle<()>,
}

struct Teller(mpsc::UnboundedSender<Event>);

impl Owner for Teller {
    fn tell(&self, event: Event) {
        // The test may be over.
        let _ = self.0.send(event);
    }
}

impl Client {
    pub fn open(options: Options) -> Client {
        let (teller, events) = mpsc::unbounded_channel();
        let (socket, task): (Socket, Task) =
            Socket::new(options, Box::new(Teller(teller)), Box::new(FastRandom)).unwrap();
        Client { socket, events, task: tokio::spawn(task.run()) }
    }

    /// A socket that is up, and the other end of its connection.
    pub async fn up_at(listener: &TcpListener, options: Options) -> (Client, TcpStream) {
        let mut client = Client::open(options);
        let server = accept(listener).await;
        client.up().await;
        (client, server)
    }

    pub fn write(&self, bytes: impl AsRef<[u8]>) {
        self.socket.write(Bytes::copy_from_slice(bytes.as_ref()), true);
    }

    pub async fn next(&mut self) -> Event {
        within(self.events.recv()).await.expect("the socket has ended")
    }

    /// Waits for an event that `pick` takes something out of.
    pub async fn until<T>(&mut self, mut pick: impl FnMut(Event) -> Option<T>) -> T {
        loop {
            if let Some(picked) = pick(self.next().await) {
                return picked;
            }
        }
    }

    pub async fn connected(&mut self) -> Connected {
        self.until(|event| if let Event::Connected(connected) = event { Some(*connected) } else { None }).await
    }

    pub async fn up(&mut self) -> Option<Return> {
        self.until(|event| if let Event::Up { again, .. } = event { Some(again) } else { None }).await
    }

    pub async fn down(&mut self) -> Loss {
        self.until(|event| if let Event::Down(loss) = event { Some(*loss) } else { None }).await
    }

    pub async fn waiting(&mut self) -> (u32, Duration, Fault) {
        self.until(|event| match event {
            Event::Waiting { attempt, delay, fault } => Some((attempt, delay, *fault)),
            _ => None,
        })
        .await
    }

    pub async fn fate(&mut self) -> Fate {
        self.until(|event| if let Event::Fate(fate) = event { Some(fate) } else { None }).await
    }

    /// The end, and why.
    pub async fn over(&mut self) -> Option<End> {
        self.until(|event| if let Event::Over(end) = event { Some(end.map(|end| *end)) } else { None }).await
    }

    /// Takes data until there are so many bytes.
    pub async fn read(&mut self, count: usize) -> Vec<u8> {
        let mut read = Vec::new();
        while read.len() < count {
            let bytes = self.until(|event| if let Event::Data { bytes } = event { Some(bytes) } else { None }).await;
            self.socket.taken(bytes.len());
            read.extend_from_slice(&bytes);
        }
        read
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A listener, on a port that it can be bound to again.
pub async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Again, on a port at which nobody listens now.
pub async fn listen_at(port: u16) -> TcpListener {
    TcpListener::bind(("127.0.0.1", port)).await.unwrap()
}

/// A port at which nobody listens.
pub async fn closed_port() -> u16 {
    listen().await.1
}

pub async fn accept(listener: &TcpListener) -> TcpStream {
    within(listener.accept()).await.unwrap().0
}

pub async fn read_exactly(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut read = vec![0; count];
    within(stream.read_exact(&mut read)).await.unwrap();
    read
}

pub async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    within(stream.read_to_end(&mut read)).await.unwrap();
    read
}

pub async fn write(stream: &mut TcpStream, bytes: impl AsRef<[u8]>) {
    within(stream.write_all(bytes.as_ref())).await.unwrap();
}

/// Ends it with RST.
pub fn reset(stream: TcpStream) {
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

/// A proxy before a port of this machine.
pub async fn proxy(port: u16) -> FaultProxy {
    let upstream = Upstream { host: "127.0.0.1".to_owned(), port };
    FaultProxy::listen(ListenOptions { host: "127.0.0.1".to_owned(), port: 0, upstream, seed: 7 }).await.unwrap()
}

/// The fault as a test author writes it.
pub fn add(proxy: &FaultProxy, fault: &str) {
    proxy.add(Plan::from_json(fault).unwrap());
}
