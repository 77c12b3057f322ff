//! A WebSocket as JavaScript holds it: what it does crosses at once, what happens comes through the queue of its
//! environment.

mod told;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use napi_derive::napi;

use self::told::JsOwner;
use self::wire::{Wire, WireRequest};
use super::engine::Engine;
use super::{pool, tls};
use crate::fault::{Fault, Phase};
use crate::http::transport::tls::Trust;
use crate::policy::FastRandom;
use crate::websocket::outbox::{Accepted, Kind, Message};
use crate::websocket::{BeforeTls, Close, WebSocket};

/// Flags of a message.
const BINARY: u32 = 1;
const AWAITED: u32 = 2;
const PLAIN: u32 = 4;

#[napi]
pub struct NativeWebSocket {
    socket: WebSocket,
    text_as_bytes: Arc<AtomicBool>,
}

#[napi]
impl NativeWebSocket {
    /// Begins to connect. What happens is told under the number `call`.
    #[napi(constructor)]
    #[allow(clippy::needless_pass_by_value)] // napi hands strings over as owned.
    pub fn new(
        engine: &Engine,
        call: u32,
        options: String,
        result_order: String,
        lookup: Option<u32>,
    ) -> napi::Result<Self> {
        let core = engine.core();
        let lookup = pool::lookup(core, lookup, &result_order);
        let options = Wire::read(&options, lookup).map_err(napi::Error::from_reason)?;
        let text_as_bytes = Arc::new(AtomicBool::new(false));
        let owner = JsOwner::new(Arc::clone(core), call, Arc::clone(&text_as_bytes));
        let late = match &options.tls.options.trust {
            Trust::Later(late) => Some(late.clone()),
            Trust::Bundled | Trust::Only(_) | Trust::Everybody => None,
        };
        let before_tls: BeforeTls = Box::new(move || {
            let late = late.clone();
            Box::pin(async move { tls::settle(late.as_ref()).await })
        });
        let (socket, task) = WebSocket::new(options, Box::new(owner), before_tls, Box::new(FastRandom));
        core.start(call, move |registration| async move {
            tls::asking(Arc::clone(registration.core()), call, task.run()).await;
            drop(registration);
        })?;
        Ok(NativeWebSocket { socket, text_as_bytes })
    }

    /// `count` messages, one after the other in `bytes`. Returns how many were taken, times four, and the status of the last:
    /// 0: taken; 1: taken, and the next is to wait for room; 2: refused, there is no room; 3: refused, it is closing.
    #[napi]
    pub fn send_batch(&self, bytes: &[u8], lengths: &[u32], flags: &[u8], count: u32) -> u32 {
        let lengths = &lengths[..lengths.len().min(flags.len()).min(count as usize)];
        let total: usize = lengths.iter().map(|length| *length as usize).sum();
        let mut rest = Bytes::copy_from_slice(&bytes[..total.min(bytes.len())]);
        let messages = lengths.iter().zip(flags).map(|(length, flags)| {
            let payload = rest.split_to((*length as usize).min(rest.len()));
            message(payload, (*flags).into())
        });
        let (taken, status) = self.socket.send(messages);
        u32::try_from(taken).unwrap_or(u32::MAX >> 2) * 4 + number(status)
    }

    /// The status.
    #[napi]
    pub fn send_text(&self, text: String, flags: u32) -> u32 {
        number(self.socket.send([message(text.into(), flags & !BINARY)]).1)
    }

    /// The status.
    #[napi]
    pub fn send_binary(&self, bytes: &[u8], flags: u32) -> u32 {
        number(self.socket.send([message(Bytes::copy_from_slice(bytes), flags)]).1)
    }

    #[napi]
    pub fn ping(&self, data: &[u8]) -> bool {
        self.socket.ping(Bytes::copy_from_slice(data))
    }

    #[napi]
    pub fn pong(&self, data: &[u8]) -> bool {
        self.socket.pong(Bytes::copy_from_slice(data))
    }

    /// `code`: 0 for a Close frame without one.
    #[napi]
    pub fn close(&self, code: u32, reason: String) {
        let code = u16::try_from(code).ok().filter(|code| *code != 0);
        self.socket.close(code.map(|code| Close { code, reason }));
    }

    #[napi]
    pub fn terminate(&self) {
        self.socket.terminate();
    }

    #[napi]
    pub fn set_paused(&self, on: bool) {
        self.socket.set_paused(on);
    }

    #[napi]
    pub fn taken(&self, weight: u32) {
        self.socket.taken(weight as usize);
    }

    /// Text messages are wanted as their bytes.
    #[napi]
    pub fn set_text_as_bytes(&self, on: bool) {
        self.text_as_bytes.store(on, Ordering::Relaxed);
    }

    #[napi]
    pub fn greet_text(&self, generation: u32, text: String) -> bool {
        self.socket.greet(generation, Kind::Text, text.into())
    }

    #[napi]
    pub fn greet_binary(&self, generation: u32, bytes: &[u8]) -> bool {
        self.socket.greet(generation, Kind::Binary, Bytes::copy_from_slice(bytes))
    }

    /// `fault`: why the greeting failed, as JSON.
    #[napi]
    pub fn greeted(&self, generation: u32, fault: Option<String>) -> napi::Result<()> {
        let outcome = match fault {
            None => Ok(()),
            // Whatever it was: it counts as a failed attempt, and is tried again like any other.
            Some(json) => Err(Box::new(Fault { transient: true, phase: Phase::Handshake, ..fault_of(&json)? })),
        };
        self.socket.greeted(generation, outcome);
        Ok(())
    }

    /// With whom to connect, or why that is not known, both as JSON.
    #[napi]
    #[allow(clippy::needless_pass_by_value)] // napi hands strings over as owned.
    pub fn provided(&self, attempt: u32, request: Option<String>, fault: Option<String>) -> napi::Result<()> {
        let request = match (request, fault) {
            (Some(json), _) => WireRequest::read(&json).map_err(napi::Error::from_reason)?,
            (None, Some(json)) => Err(Box::new(fault_of(&json)?)),
            (None, None) => return Err(napi::Error::from_reason("neither a request nor a fault")),
        };
        self.socket.provided(attempt, request);
        Ok(())
    }

    /// 1: reconnect; 0: do not; anything else: as is usual.
    #[napi]
    pub fn decide(&self, id: u32, answer: i32) {
        let answer = match answer {
            1 => Some(true),
            0 => Some(false),
            _ => None,
        };
        self.socket.decide(id, answer);
    }

    #[napi]
    pub fn buffered_amount(&self) -> f64 {
        self.socket.buffered_amount() as f64
    }

    /// Whether not more is buffered. If it is, one completion tells when it is not any more.
    #[napi]
    pub fn notify_drained(&self, at_most: f64) -> bool {
        self.socket.notify_drained(at_most as usize)
    }

    /// As JSON.
    #[napi]
    pub fn flow(&self) -> String {
        told::flow_json(self.socket.flow()).to_string()
    }

    /// As JSON.
    #[napi]
    pub fn stats(&self) -> String {
        told::stats_json(&self.socket.stats()).to_string()
    }
}

fn message(payload: Bytes, flags: u32) -> Message {
    Message {
        kind: if flags & BINARY == 0 { Kind::Text } else { Kind::Binary },
        payload,
        compress: flags & PLAIN == 0,
        awaited: flags & AWAITED != 0,
    }
}

fn number(accepted: Option<Accepted>) -> u32 {
    match accepted {
        Some(Accepted::Room) => 0,
        Some(Accepted::Full) => 1,
        Some(Accepted::Refused) => 2,
        None => 3,
    }
}

fn fault_of(json: &str) -> napi::Result<Fault> {
    serde_json::from_str(json).map_err(|error| napi::Error::from_reason(error.to_string()))
}
