//! Frames in, messages out, and the other way round.
//!
//! The frames and their compression are `yawc`'s, which of the crates at hand is the one that inflates, deflates and sends
//! in fragments, and that the Autobahn suite finds nothing against. Only its lowest layer with compression is used. What
//! lies above (putting fragments together, UTF-8, limits on messages, closing) is done here, because there it swallows
//! errors, answers some of them with no Close frame or with another code than is usual, and splits control frames; what it
//! misses on the way in is seen by [`super::scan`].
//!
//! Traps, and how they are kept out of:
//! - It answers pings by itself and queues the answers without a bound: each is taken out before the next frame is read.
//! - After an error, and after a Close frame, it has an answer of its own ready: it is never polled again.
//! - A second empty message in a row, compressed by zlib, makes it loop: nothing shorter than [`LEAST_COMPRESSED`] is
//!   compressed, and no last fragment is empty.
//! - Its limits are exclusive.
//! - It refuses close code 1014.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::Sink;
use yawc::streaming::Streaming;
use yawc::{Frame, OpCode, Role, WebSocket, WebSocketError};

use super::extension::Agreed;
use super::outbox::Kind;
use super::tap::{Stopped, Tap};
use crate::fault::{Delivery, Fault, Phase};

/// Messages that begin and end in one frame and are shorter are not compressed, whatever was asked for.
pub const LEAST_COMPRESSED: usize = 1;
/// Most connections are idle most of the time; what is larger is read into a block of its own.
const READ_BUFFER: usize = 8 * 1024;
const WRITE_BUFFER: usize = 1024;

pub struct Engine {
    frames: Streaming<Tap>,
    /// One that compresses nothing, and only writes: the other one compresses whatever is long enough. Made when a message
    /// is not to be compressed.
    plain: Option<Box<Streaming<Tap>>>,
    compresses: bool,
    tap: Tap,
    max_payload: usize,
    /// The message whose fragments are coming.
    partial: Option<Partial>,
}

struct Partial {
    kind: Kind,
    payload: BytesMut,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    Message { kind: Kind, payload: Bytes },
    Ping(Bytes),
    Pong(Bytes),
    Close(Option<Close>),
}

/// What a Close frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    pub code: u16,
    pub reason: String,
}

/// Why there are no more messages.
#[derive(Debug)]
pub enum Broken {
    /// Of the connection: [`Tap`] knows how.
    Connection,
    /// The peer broke a rule, and is to be told so with this code.
    /// `name`: as ws calls it, which programs compare.
    Rule { code: u16, name: &'static str, what: String },
}

impl Engine {
    /// `max_payload`: bytes of a message, after inflation.
    pub fn new(tap: Tap, agreed: Option<&Agreed>, max_payload: usize) -> Result<Self, Broken> {
        // A length that the limit is added to must not overflow.
        let max_payload = max_payload.min(usize::MAX / 4);
        let frames = frames(tap.clone(), agreed, max_payload)?;
        Ok(Engine { frames, plain: None, compresses: agreed.is_some(), tap, max_payload, partial: None })
    }

    /// The next thing that the peer says. After an error, or a Close frame, it must not be asked again.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Incoming, Broken>> {
        loop {
            let frame = match self.frames.poll_next_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(frame)) => frame,
                Poll::Ready(Err(error)) => return Poll::Ready(self.failed(&error)),
            };
            let (opcode, last, payload) = frame.into_parts();
            let incoming = match opcode {
                OpCode::Text => self.begin(Kind::Text, last, payload),
                OpCode::Binary => self.begin(Kind::Binary, last, payload),
                OpCode::Continuation => self.go_on(last, payload),
                OpCode::Ping => {
                    self.take_out_answers(cx);
                    Ok(Some(Incoming::Ping(payload)))
                }
                OpCode::Pong => Ok(Some(Incoming::Pong(payload))),
                OpCode::Close => Ok(Some(Incoming::Close(Close::read(&payload)))),
            };
            if let Some(incoming) = incoming.transpose() {
                return Poll::Ready(incoming);
            }
        }
    }

    /// Encodes one frame of a message, whose place among the bytes of the connection it returns. `compress`: if that was
    /// agreed on.
    pub fn send(
        &mut self,
        cx: &mut Context<'_>,
        kind: Kind,
        compress: bool,
        payload: Bytes,
        first: bool,
        last: bool,
    ) -> Result<(u64, u64), Broken> {
        let frame = match (first, kind) {
            (false, _) => Frame::continuation(payload),
            (true, Kind::Text) => Frame::text(payload),
            (true, Kind::Binary) => Frame::binary(payload),
        };
        let frame = frame.with_fin(last);
        if compress || !self.compresses {
            return self.encode(cx, frame);
        }
        let plain = match &mut self.plain {
            Some(plain) => plain,
            none => none.insert(Box::new(frames(self.tap.clone(), None, self.max_payload)?)),
        };
        encode(plain, &self.tap, cx, frame)
    }

    pub fn ping(&mut self, cx: &mut Context<'_>, payload: Bytes) -> Result<(u64, u64), Broken> {
        self.encode(cx, Frame::ping(payload))
    }

    pub fn pong(&mut self, cx: &mut Context<'_>, payload: Bytes) -> Result<(u64, u64), Broken> {
        self.encode(cx, Frame::pong(payload))
    }

    /// Encodes a Close frame. Nothing may follow.
    pub fn close(&mut self, cx: &mut Context<'_>, close: Option<&Close>) -> Result<(u64, u64), Broken> {
        let payload = close.map(Close::payload).unwrap_or_default();
        self.encode(cx, Frame::from((OpCode::Close, payload)))
    }

    fn encode(&mut self, cx: &mut Context<'_>, frame: Frame) -> Result<(u64, u64), Broken> {
        encode(&mut self.frames, &self.tap, cx, frame)
    }

    /// The engine's pongs, into the tap.
    fn take_out_answers(&mut self, cx: &mut Context<'_>) {
        let from = self.tap.lock().encoded();
        // Never pending, and never an error: the tap takes everything.
        let _ = Pin::new(&mut self.frames).poll_ready(cx);
        self.tap.lock().note_answers(from);
    }

    fn begin(&mut self, kind: Kind, last: bool, payload: Bytes) -> Result<Option<Incoming>, Broken> {
        if self.partial.is_some() {
            return Err(rule(1002, "WS_ERR_INVALID_OPCODE", "a message began within another one"));
        }
        if last {
            return self.message(kind, payload).map(Some);
        }
        self.partial = Some(Partial { kind, payload: BytesMut::from(&*payload) });
        Ok(None)
    }

    fn go_on(&mut self, last: bool, payload: Bytes) -> Result<Option<Incoming>, Broken> {
        let Some(mut partial) = self.partial.take() else {
            return Err(rule(1002, "WS_ERR_INVALID_OPCODE", "a fragment continues no message"));
        };
        if partial.payload.len() + payload.len() > self.max_payload {
            return Err(self.too_large());
        }
        partial.payload.extend_from_slice(&payload);
        if last {
            return self.message(partial.kind, partial.payload.freeze()).map(Some);
        }
        self.partial = Some(partial);
        Ok(None)
    }

    fn message(&self, kind: Kind, payload: Bytes) -> Result<Incoming, Broken> {
        if payload.len() > self.max_payload {
            return Err(self.too_large());
        }
        if kind == Kind::Text && std::str::from_utf8(&payload).is_err() {
            return Err(rule(1007, "WS_ERR_INVALID_UTF8", "a text message is not UTF-8"));
        }
        Ok(Incoming::Message { kind, payload })
    }

    fn too_large(&self) -> Broken {
        rule(
            1009,
            "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH",
            format!("a message is larger than maxPayload, {} bytes", self.max_payload),
        )
    }

    /// What an error of the engine's comes to.
    fn failed(&self, error: &WebSocketError) -> Result<Incoming, Broken> {
        let tapped = self.tap.lock();
        match &tapped.stopped {
            Some(Stopped::Violated(violation)) => return Err(rule(1002, violation.name(), violation.as_str())),
            Some(Stopped::End | Stopped::Failed(_)) => return Err(Broken::Connection),
            None => {}
        }
        let (code, name) = match error {
            WebSocketError::FrameTooLarge => return Err(self.too_large()),
            WebSocketError::InvalidCloseCode => match tapped.close().and_then(Close::read) {
                // Registered after the engine was written.
                Some(close) if close.code == 1014 => return Ok(Incoming::Close(Some(close))),
                _ => (1002, "WS_ERR_INVALID_CLOSE_CODE"),
            },
            WebSocketError::InvalidCloseFrame => (1002, "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH"),
            WebSocketError::InvalidUTF8 => (1007, "WS_ERR_INVALID_UTF8"),
            WebSocketError::ReservedBitsNotZero => (1002, "WS_ERR_UNEXPECTED_RSV_2_3"),
            WebSocketError::CompressionNotSupported => (1002, "WS_ERR_UNEXPECTED_RSV_1"),
            WebSocketError::ControlFrameFragmented => (1002, "WS_ERR_EXPECTED_FIN"),
            WebSocketError::InvalidOpCode(_) => (1002, "WS_ERR_INVALID_OPCODE"),
            // Inflating is all that is left to fail. ws gives zlib's own code.
            WebSocketError::IoError(_) => (1007, "Z_DATA_ERROR"),
            _ => (1002, "ERR_WS_PROTOCOL"),
        };
        Err(rule(code, name, format!("the server broke the protocol: {error}")))
    }
}

fn frames(tap: Tap, agreed: Option<&Agreed>, max_payload: usize) -> Result<Streaming<Tap>, Broken> {
    let options = yawc::Options::default()
        .with_max_payload_read(max_payload + 1)
        .with_max_read_buffer(max_payload + 1)
        .with_read_buffer_capacity(READ_BUFFER)
        .with_write_buffer_capacity(WRITE_BUFFER)
        // It decides nothing: whatever is encoded is flushed to the tap at once.
        .with_backpressure_boundary(1);
    let (options, extension) = match agreed {
        None => (options.without_compression(), None),
        Some(agreed) => {
            let options = options
                .with_compression_level(yawc::CompressionLevel::new(agreed.level))
                .with_compression_threshold(agreed.threshold.max(LEAST_COMPRESSED));
            (options, Some(agreed.to_string()))
        }
    };
    WebSocket::from_stream_with_extensions(tap, Role::Client, extension.as_deref(), options)
        .map(WebSocket::into_streaming)
        .map_err(|error| own(&error))
}

fn encode(frames: &mut Streaming<Tap>, tap: &Tap, cx: &mut Context<'_>, frame: Frame) -> Result<(u64, u64), Broken> {
    let from = tap.lock().encoded();
    // Not `poll_ready`: it would send what the engine has in mind after an error.
    Pin::new(&mut *frames).start_send(frame).map_err(|error| own(&error))?;
    // The tap takes everything, so that this is never pending.
    let _ = Pin::new(frames).poll_flush(cx).map_err(|error| own(&error))?;
    Ok((from, tap.lock().encoded()))
}

fn rule(code: u16, name: &'static str, what: impl Into<String>) -> Broken {
    Broken::Rule { code, name, what: what.into() }
}

/// Of our own doing: what cannot happen.
fn own(error: &WebSocketError) -> Broken {
    rule(1011, "ERR_INTERNAL", format!("it could not be written to: {error}"))
}

impl Broken {
    /// Of an engine that could not be made.
    pub fn unusable(&self) -> Fault {
        let fault = Fault::new("ERR_WS_HANDSHAKE", Phase::Handshake, Delivery::NotSent);
        match self {
            Broken::Connection => fault,
            Broken::Rule { what, .. } => fault.with_detail(what.clone()),
        }
    }
}

impl Close {
    /// `None`: it says nothing.
    fn read(payload: &[u8]) -> Option<Self> {
        let (code, reason) = payload.split_first_chunk::<2>()?;
        let reason = std::str::from_utf8(reason).ok()?;
        Some(Close { code: u16::from_be_bytes(*code), reason: reason.to_owned() })
    }

    fn payload(&self) -> Bytes {
        let mut payload = Vec::with_capacity(2 + self.reason.len());
        payload.extend_from_slice(&self.code.to_be_bytes());
        payload.extend_from_slice(self.reason.as_bytes());
        payload.into()
    }
}
