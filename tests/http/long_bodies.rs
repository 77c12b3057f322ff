//! Bodies that are read without hyper once their head is there: of a stated length, and long enough that it pays.
//!
//! Nothing of it may be seen but the speed. So what is promised of any body is tried once more here where such a body can
//! break it, and a property compares the two ways of reading: one appends, the other takes chunks, which hyper reads.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tokio::io::AsyncWriteExt;
use tokio::sync::{Mutex, Notify, mpsc};
use tokio::time::timeout;
use unreset::fault::{Delivery, Ending, Fault, Kind, Phase};
use unreset::http::call::Call;
use unreset::http::transport::direct::DirectTransport;
use unreset::http::transport::options::TransportOptions;
use unreset::http::transport::{Connection, Exchange, ExchangeBody, IncomingBody, Limits, Transport};

use crate::support::*;

/// The least that hyper is taken off for, in bytes still to come.
const WORTHWHILE: usize = 16 * 1024;

/// Bytes of which no two parts of a certain length are alike.
fn content(length: usize) -> Vec<u8> {
    (0..length as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn head(length: usize, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{headers}\r\n").into_bytes()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Further requests are answered.
    Kept,
    Fin,
    Reset,
}

/// A server that answers its first request in parts, all but the first when it is told to, and then ends the connection.
struct InParts {
    server: Server,
    go_on: mpsc::UnboundedSender<()>,
    sent: mpsc::UnboundedReceiver<()>,
}

impl InParts {
    async fn start(parts: Vec<Vec<u8>>, end: End) -> Self {
        let (go_on, told) = mpsc::unbounded_channel();
        let (sending, sent) = mpsc::unbounded_channel();
        let told = Arc::new(Mutex::new(told));
        let server = Server::start(move |mut peer| {
            let (parts, told, sending) = (parts.clone(), Arc::clone(&told), sending.clone());
            async move {
                if peer.number == 0 {
                    peer.request().await;
                    peer.write(&parts[0]).await;
                    for part in &parts[1..] {
                        told.lock().await.recv().await;
                        peer.write(part).await;
                        // The test may have seen enough.
                        let _ = sending.send(());
                    }
                    told.lock().await.recv().await;
                    match end {
                        End::Kept => {}
                        End::Fin => return,
                        End::Reset => return peer.reset(),
                    }
                }
                while peer.request().await.is_some() {
                    peer.respond("200 OK", "next").await;
                }
            }
        })
        .await;
        InParts { server, go_on, sent }
    }

    /// Lets it send the next part, and waits until that is done.
    async fn next(&mut self) {
        self.go_on.send(()).unwrap();
        timeout(LONG, self.sent.recv()).await.expect("it is sent");
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    Appends,
    TakesChunks,
}

impl Reader {
    async fn more(self, body: &mut impl IncomingBody, read: &mut Vec<u8>) -> Result<Option<usize>, Fault> {
        match self {
            Reader::Appends => body.append(read).await,
            Reader::TakesChunks => {
                let chunk = body.chunk().await?;
                Ok(chunk.map(|chunk| {
                    read.extend_from_slice(&chunk);
                    chunk.len()
                }))
            }
        }
    }

    /// All of a body, and how it ends.
    async fn all(self, body: &mut impl IncomingBody) -> (Vec<u8>, Result<(), Fault>) {
        let mut read = Vec::new();
        loop {
            match self.more(body, &mut read).await {
                Ok(Some(_)) => {}
                Ok(None) => return (read, Ok(())),
                Err(fault) => return (read, Err(fault)),
            }
        }
    }
}

/// What a reader makes of a body that comes in parts, each after it has read all before it: the bytes, how they ended, and
/// over which connection the next request went. `lengths`: how much of the body each part brings.
async fn outcome(parts: &[Vec<u8>], lengths: &[usize], end: End, reader: Reader) -> (Vec<u8>, String, usize) {
    let mut server = InParts::start(parts.to_vec(), end).await;
    let client = client();
    let mut body = client.call(get(server.server.url("/"))).await.expect("an answer").body;
    let (mut read, mut due, mut next) = (Vec::new(), lengths[0], 1);
    let ended = loop {
        // After the last part comes the end.
        while next <= lengths.len() && read.len() >= due {
            due += lengths.get(next).unwrap_or(&0);
            next += 1;
            server.go_on.send(()).unwrap();
        }
        match reader.more(&mut body, &mut read).await {
            Ok(Some(_)) => {}
            Ok(None) => break "whole".to_owned(),
            Err(fault) => break told(&fault),
        }
    };
    drop(body);
    for _ in 1..parts.len() {
        timeout(LONG, server.sent.recv()).await.expect("it is sent");
    }
    assert_eq!(text(client.call(get(server.server.url("/next"))).await).await, "next");
    (read, ended, server.server.seen().last().unwrap().connection)
}

/// What a fault says, but for the words of the library below.
fn told(fault: &Fault) -> String {
    let Fault { code, kind, phase, delivery, ending, syscall, port, .. } = fault;
    format!("{code} {kind:?} {phase:?} {delivery:?} {ending:?} {syscall:?} {}", port.is_some())
}

/// `body` after its head, divided at `cuts`.
fn divided(head: Vec<u8>, body: &[u8], cuts: &[usize]) -> (Vec<Vec<u8>>, Vec<usize>) {
    let ends = cuts.iter().copied().chain([body.len()]);
    let begins = [0].into_iter().chain(cuts.iter().copied());
    let mut parts: Vec<_> = begins.zip(ends).map(|(begin, end)| body[begin..end].to_vec()).collect();
    let lengths = parts.iter().map(Vec::len).collect();
    parts[0].splice(0..0, head);
    (parts, lengths)
}

#[tokio::test]
async fn a_body_may_be_divided_anywhere() {
    const LENGTH: usize = 60_000;
    let whole = content(LENGTH);
    let head = head(LENGTH, "");
    // hyper's first read ends with its buffer, of 8 KiB.
    let first = 8192 - head.len();
    let left = LENGTH - WORTHWHILE;
    for cuts in [
        vec![],
        vec![0],
        vec![1],
        vec![first - 1],
        vec![first],
        vec![first + 1],
        vec![left - 1],
        vec![left],
        vec![left + 1],
        vec![LENGTH - 1],
        vec![0, 1, first, left, LENGTH - 1],
    ] {
        let (parts, lengths) = divided(head.clone(), &whole, &cuts);
        let (read, ended, connection) = outcome(&parts, &lengths, End::Kept, Reader::Appends).await;
        assert!(read == whole, "{cuts:?}");
        assert_eq!((&*ended, connection), ("whole", 0), "{cuts:?}");
    }
}

#[tokio::test]
async fn as_much_as_is_worth_it_comes_in_one_piece_from_the_socket() {
    for (left, in_one) in [(WORTHWHILE, true), (WORTHWHILE - 1, false), (60_000, true)] {
        let whole = content(100 + left);
        let (parts, _) = divided(head(whole.len(), ""), &whole, &[100]);
        let mut server = InParts::start(parts, End::Kept).await;
        let mut body = client().call(get(server.server.url("/"))).await.unwrap().body;
        let mut read = Vec::with_capacity(whole.len() + 1);
        let room = read.as_ptr();
        assert_eq!(body.append(&mut read).await.unwrap(), Some(100));
        server.next().await;
        let piece = body.append(&mut read).await.unwrap().unwrap();
        assert_eq!(piece == left, in_one, "{piece} of {left}");
        assert_eq!(body.remaining(), Some((left - piece) as u64));
        while body.append(&mut read).await.unwrap().is_some() {}
        assert!(read == whole && read.as_ptr() == room && body.remaining() == Some(0));
    }
}

#[tokio::test]
async fn a_break_is_the_same_fault_wherever_it_strikes() {
    const LENGTH: usize = 60_000;
    let whole = content(LENGTH);
    for (end, code, ending) in [(End::Fin, "ECONNRESET", Ending::Fin), (End::Reset, "ECONNRESET", Ending::Rst)] {
        // At the first byte that hyper does not read, and later.
        for came in [0, 100, 30_000, LENGTH - 1] {
            let cut = came.min(100);
            let (mut parts, _) = divided(head(LENGTH, ""), &whole[..came], &[cut]);
            // Nothing comes after the first part.
            if came == cut {
                parts.pop();
            }
            let mut server = InParts::start(parts, end).await;
            let Call { method, headers, limits, .. } = get("");
            let url = server.server.url("/").parse().unwrap();
            let connection = Connection::default();
            let exchange = Exchange { method, url, headers, body: ExchangeBody::Empty, connection, limits };
            let transport = DirectTransport::new(TransportOptions::default()).unwrap();
            let mut body = transport.exchange(exchange).await.unwrap().body;
            let mut read = Vec::new();
            if came > cut {
                server.next().await;
            }
            while read.len() < came {
                body.append(&mut read).await.unwrap().expect("more");
            }
            server.go_on.send(()).unwrap();
            let fault = body.append(&mut read).await.unwrap_err();
            assert_eq!((&*fault.code, fault.kind, fault.ending), (code, Kind::Reset, Some(ending)), "{fault:?}");
            assert_eq!((fault.phase, fault.delivery), (Phase::Receive, Delivery::Answered));
            assert_eq!(fault.address.as_deref(), Some("127.0.0.1"));
            assert!(read == whole[..came] && body.append(&mut read).await.is_err(), "a body that broke does not end");
        }
    }
}

#[tokio::test]
async fn what_follows_a_body_unasked_is_no_answer_to_the_next_request() {
    let whole = content(60_000);
    let (mut parts, lengths) = divided(head(whole.len(), ""), &whole, &[100, 50_000]);
    parts[2].extend(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong");
    let (read, ended, connection) = outcome(&parts, &lengths, End::Kept, Reader::Appends).await;
    assert!(read == whole);
    assert_eq!((&*ended, connection), ("whole", 1));
}

#[tokio::test]
async fn silence_inside_it_has_its_limit() {
    let whole = content(60_000);
    let (parts, _) = divided(head(whole.len(), ""), &whole, &[100, 50_000]);
    let mut server = InParts::start(parts, End::Kept).await;
    let limits = Limits { body: Some(Duration::from_millis(50)), ..get("").limits };
    let mut body = client().call(Call { limits, ..get(server.server.url("/")) }).await.unwrap().body;
    let mut read = Vec::new();
    server.next().await;
    while read.len() < 50_000 {
        body.append(&mut read).await.unwrap();
    }
    let fault = body.append(&mut read).await.unwrap_err();
    assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ETIMEDOUT", Phase::Receive, Delivery::Answered));
    assert!(read == whole[..50_000]);
}

/// Long answers under `/long`, others else; each with `headers`.
async fn answering(headers: &'static str) -> Server {
    Server::start(move |mut peer| async move {
        while let Some(seen) = peer.request().await {
            match seen.line.split(' ').nth(1) {
                Some("/long") => peer.write([head(60_000, headers), content(60_000)].concat()).await,
                Some("/chunked") => {
                    peer.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nshor\r\n1\r\nt\r\n0\r\n\r\n")
                        .await;
                }
                _ => peer.respond_with("200 OK", headers, "short").await,
            }
        }
    })
    .await
}

#[tokio::test]
async fn its_connection_serves_whatever_comes_next() {
    for headers in ["", "connection: keep-alive\r\nkeep-alive: timeout=60\r\n"] {
        let server = answering(headers).await;
        let client = client();
        for path in ["/long", "/long", "/short", "/long", "/chunked", "/long"] {
            let mut body = client.call(get(server.url(path))).await.unwrap().body;
            let (read, ended) = Reader::Appends.all(&mut body).await;
            ended.unwrap();
            assert!(if path == "/long" { read == content(60_000) } else { read == b"short" }, "{path}");
        }
        // A request with a body, and one that must not be repeated.
        assert_eq!(text(client.call(post(server.url("/"), "a")).await).await, "short");
        assert!(server.seen().iter().all(|seen| seen.connection == 0));
    }
}

#[tokio::test]
async fn who_says_that_the_connection_ends_is_believed() {
    let server = answering("connection: close\r\n").await;
    let asking = answering("").await;
    let client = client();
    for _ in 0..2 {
        for call in [get(server.url("/long")), get(asking.url("/long")).header("connection", "close")] {
            let (read, ended) = Reader::Appends.all(&mut client.call(call).await.unwrap().body).await;
            assert!(ended.is_ok() && read == content(60_000));
        }
    }
    for server in [server, asking] {
        let connections: Vec<_> = server.seen().iter().map(|seen| seen.connection).collect();
        assert_eq!(connections, [0, 1]);
    }
}

#[tokio::test]
async fn one_that_is_dropped_takes_its_connection_along() {
    let closed = Arc::new(Notify::new());
    let noting = Arc::clone(&closed);
    let server = Server::start(move |mut peer| {
        let closed = Arc::clone(&noting);
        async move {
            peer.request().await;
            peer.write([head(60_000, ""), content(30_000)].concat()).await;
            peer.until_closed().await;
            closed.notify_one();
        }
    })
    .await;
    let mut body = client().call(get(server.url("/"))).await.unwrap().body;
    let mut read = Vec::new();
    while read.len() < 30_000 {
        body.append(&mut read).await.unwrap();
    }
    drop(body);
    timeout(LONG, closed.notified()).await.expect("it is closed");
}

#[tokio::test]
async fn who_does_not_read_slows_the_server_down() {
    const LENGTH: usize = 64 << 20;
    let waits = Arc::new(Notify::new());
    let waiting = Arc::clone(&waits);
    let server = Server::start(move |mut peer| {
        let waits = Arc::clone(&waiting);
        async move {
            peer.request().await;
            peer.write(head(LENGTH, "")).await;
            let body = vec![7; LENGTH];
            let mut writing = std::pin::pin!(peer.stream.write_all(&body));
            if timeout(Duration::from_millis(300), &mut writing).await.is_err() {
                waits.notify_one();
                writing.await.unwrap();
            }
        }
    })
    .await;
    let mut body = client().call(get(server.url("/"))).await.unwrap().body;
    let (mut read, mut piece) = (0, Vec::new());
    while read < 100_000 {
        read += body.append(&mut piece).await.unwrap().unwrap();
    }
    timeout(LONG, waits.notified()).await.expect("it cannot go on");
    while let Some(bytes) = body.append(&mut piece).await.unwrap() {
        read += bytes;
        assert!(piece.iter().all(|byte| *byte == 7));
        piece.clear();
    }
    assert_eq!(read, LENGTH);
}

#[cfg(unix)]
#[tokio::test]
async fn a_unix_socket_brings_it_too() {
    let directory = std::env::temp_dir().join(format!("unreset-long-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("s.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut peer = Peer { stream, number: 0, seen: Arc::default(), unread: Vec::new() };
        while peer.request().await.is_some() {
            peer.write([head(60_000, ""), content(60_000)].concat()).await;
        }
    });
    let client = with(TransportOptions { socket_path: Some(path), ..Default::default() });
    for _ in 0..2 {
        let mut body = client.call(get("http://anything.test/")).await.unwrap().body;
        let (read, ended) = Reader::Appends.all(&mut body).await;
        assert!(ended.is_ok() && read == content(60_000));
    }
    drop(client);
    serving.await.unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
}

/// What a server sends, and how it ends.
fn scripts() -> impl Strategy<Value = (usize, usize, Vec<usize>, End, bool)> {
    let ends = prop_oneof![2 => Just(End::Kept), 1 => Just(End::Fin), 1 => Just(End::Reset)];
    let length = prop_oneof![0..40_000_usize, 15_000..18_000_usize, 0..200_000_usize];
    (length, 0..9_000_usize, proptest::collection::vec(any::<proptest::sample::Index>(), 0..5), ends, any::<bool>())
        .prop_map(|(length, padding, cuts, end, surplus)| {
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(length + 1)).collect();
            cuts.sort_unstable();
            (length, padding, cuts, end, surplus)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 48 } else { 256 }))]

    #[test]
    fn both_ways_of_reading_bring_the_same_and_end_the_same(script in scripts()) {
        let (length, padding, cuts, end, surplus) = script;
        let whole = content(length);
        let head = head(length, &format!("x-padding: {}\r\n", "x".repeat(padding)));
        let (mut parts, mut lengths) = divided(head, &whole, &cuts);
        let mut due = whole;
        if end == End::Kept {
            if surplus {
                parts.last_mut().unwrap().extend(b"HTTP/1.1 200 OK\r\n\r\n");
            }
        } else if parts.len() > 1 {
            // It breaks at the last cut.
            due.truncate(length - lengths.pop().unwrap());
            parts.pop();
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let of = |reader| runtime.block_on(outcome(&parts, &lengths, end, reader));
        let appended = of(Reader::Appends);
        prop_assert!(appended.0 == due, "{} of {}", appended.0.len(), due.len());
        let taken = of(Reader::TakesChunks);
        prop_assert!(appended.0 == taken.0);
        prop_assert_eq!((appended.1, appended.2), (taken.1, taken.2));
    }
}
