use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest, Sha1};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::within;

const CONTINUATION: u8 = 0;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A listener, and the URL of its WebSockets.
pub async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/path", listener.local_addr().unwrap());
    (listener, url)
}

/// The server's end of a connection.
pub struct Peer {
    pub stream: TcpStream,
    /// The request.
    pub head: String,
}

/// A frame of the client's.
#[derive(Debug, PartialEq, Eq)]
pub struct Received {
    pub last: bool,
    pub compressed: bool,
    pub opcode: u8,
    pub payload: Vec<u8>,
}

/// A frame as a server sends it. `first`: FIN, the reserved bits, and the opcode.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        short @ 0..126 => frame.push(short as u8),
        middle @ 126..65_536 => {
            frame.push(126);
            frame.extend((middle as u16).to_be_bytes());
        }
        long => {
            frame.push(127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

/// The answer to a key.
pub fn accept_of(key: &str) -> String {
    let mut digest = Sha1::new();
    digest.update(key);
    digest.update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    BASE64_STANDARD.encode(digest.finalize())
}

impl Peer {
    /// Takes a connection and reads the request.
    pub async fn accept(listener: &TcpListener) -> Peer {
        let (mut stream, _) = within(listener.accept()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(within(stream.read_u8()).await.unwrap());
        }
        Peer { stream, head: String::from_utf8(head).unwrap() }
    }

    /// Takes a connection and upgrades it.
    pub async fn meet(listener: &TcpListener) -> Peer {
        let mut peer = Peer::accept(listener).await;
        peer.upgrade("").await;
        peer
    }

    /// The value of a header of the request.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The proper answer, and what comes besides.
    pub async fn upgrade(&mut self, headers: &str) {
        let accept = self.accept_key();
        self.write(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{headers}\r\n"
        ))
        .await;
    }

    pub fn accept_key(&self) -> String {
        accept_of(self.header("sec-websocket-key").unwrap())
    }

    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        within(self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    pub async fn send(&mut self, first: u8, payload: impl AsRef<[u8]>) {
        self.write(frame(first, payload.as_ref())).await;
    }

    pub async fn close(&mut self, code: u16, reason: &str) {
        self.send(0x88, [&code.to_be_bytes(), reason.as_bytes()].concat()).await;
    }

    /// The next frame of the client's.
    pub async fn frame(&mut self) -> Received {
        let [first, second] = self.exactly::<2>().await;
        assert_eq!(second & 0x80, 0x80, "a client masks");
        let length = match second & 0x7f {
            126 => u16::from_be_bytes(self.exactly().await).into(),
            127 => u64::from_be_bytes(self.exactly().await),
            short => short.into(),
        };
        let mask = self.exactly::<4>().await;
        let mut payload = vec![0; length as usize];
        within(self.stream.read_exact(&mut payload)).await.unwrap();
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        Received { last: first & 0x80 != 0, compressed: first & 0x40 != 0, opcode: first & 0xf, payload }
    }

    /// The next frame that is no ping of the client's own. Those are answered.
    pub async fn data_frame(&mut self) -> Received {
        loop {
            let received = self.frame().await;
            if received.opcode != PING {
                return received;
            }
            self.send(0x80 | PONG, &received.payload).await;
        }
    }

    /// The next message, put together of its frames, and the sizes of these.
    pub async fn message(&mut self) -> (u8, Vec<u8>, Vec<usize>) {
        let (mut opcode, mut payload, mut sizes) = (CONTINUATION, Vec::new(), Vec::new());
        loop {
            let received = self.data_frame().await;
            assert_eq!(received.opcode == CONTINUATION, !sizes.is_empty());
            if sizes.is_empty() {
                opcode = received.opcode;
            }
            sizes.push(received.payload.len());
            payload.extend(received.payload);
            if received.last {
                return (opcode, payload, sizes);
            }
        }
    }

    /// The text of the next message.
    pub async fn text(&mut self) -> String {
        let (opcode, payload, _) = self.message().await;
        assert_eq!(opcode, 1);
        String::from_utf8(payload).unwrap()
    }

    /// The code of the client's Close frame, which must be next.
    pub async fn closed(&mut self) -> Option<u16> {
        let received = self.data_frame().await;
        assert_eq!(received.opcode, CLOSE, "{received:?}");
        received.payload.first_chunk().map(|code| u16::from_be_bytes(*code))
    }

    /// Waits for the end of the client's, and what came before it.
    pub async fn rest(&mut self) -> std::io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        within(self.stream.read_to_end(&mut rest)).await.map(|_| rest)
    }

    /// Ends it with FIN.
    pub fn end(self) {}

    /// Ends it with RST.
    pub fn reset(self) {
        socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO)).unwrap();
    }

    async fn exactly<const N: usize>(&mut self) -> [u8; N] {
        let mut read = [0; N];
        within(self.stream.read_exact(&mut read)).await.unwrap();
        read
    }
}
