//! A socket as JavaScript holds it: what it does crosses at once, what happens comes through the queue of its environment.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use napi_derive::napi;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};

use super::call::fault_json;
use super::completion::{BUFFER, Completion, Kind, STRING_BODY, Value, body_value};
use super::engine::{Core, Engine};
use super::pool;
use super::tls::{NativeRoots, WireTls};
use crate::fault::{Fault, Phase};
use crate::http::transport::tls::Trust;
use crate::milliseconds;
use crate::policy;
use crate::policy::FastRandom;
use crate::tcp::block::Block;
use crate::tcp::event::{Connected, End, Event, Loss, Owner, Secured};
use crate::tcp::frame::Frame;
use crate::tcp::heartbeat::Heartbeat;
use crate::tcp::options::{Family, Options, Route, Target, Tls};
use crate::tcp::queue::{Accepted, Fate, Limits, WhenFull, Why};
use crate::tcp::reconnect::Reconnect;
use crate::tcp::{Socket, Stats};

/// The longest wait of a timer of Node's, which is how JavaScript says that there is no end.
pub(super) const LONGEST_TIMER: Duration = Duration::from_millis((1 << 31) - 1);

/// `lib/net/options.js` makes it, complete. Times are milliseconds; bytes are strings of one-byte characters.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire<'a> {
    host: Option<String>,
    port: Option<u16>,
    path: Option<PathBuf>,
    family: u8,
    first_only: bool,
    local_address: Option<IpAddr>,
    local_port: u16,
    no_delay: bool,
    keep_alive: Option<f64>,
    connect_timeout: Option<f64>,
    greets: bool,
    #[serde(borrow)]
    reconnect: &'a RawValue,
    min_uptime: f64,
    reconnect_on_end: bool,
    queue: WireQueue,
    frame: Option<WireFrame>,
    resends: bool,
    heartbeat: Option<WireHeartbeat>,
    tls: Option<WireSocketTls>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireQueue {
    bytes: usize,
    age: Option<f64>,
    refuses: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WireFrame {
    Delimiter {
        delimiter: String,
    },
    #[serde(rename_all = "camelCase")]
    Length {
        length_bytes: u8,
        little_endian: bool,
        includes_length: bool,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireHeartbeat {
    interval: f64,
    timeout: f64,
    send: String,
    expect: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WireSocketTls {
    options: WireTls,
    name: String,
    alpn: Vec<String>,
    reject_unauthorized: bool,
}

#[napi]
pub struct NativeSocket {
    socket: Socket,
}

#[napi]
impl NativeSocket {
    /// Begins to connect. What happens is told under the number `call`. `roots`: whom Node trusts, if TLS is spoken and
    /// `options` do not say.
    #[napi(constructor)]
    #[allow(clippy::needless_pass_by_value)] // napi hands strings over as owned.
    pub fn new(
        engine: &Engine,
        call: u32,
        options: String,
        result_order: String,
        lookup: Option<u32>,
        roots: Option<&NativeRoots>,
    ) -> napi::Result<Self> {
        let engine = engine.core();
        let wire: Wire<'_> =
            serde_json::from_str(&options).map_err(|error| napi::Error::from_reason(error.to_string()))?;
        let usual = Options {
            lookup: pool::lookup(engine, lookup, &result_order),
            ..Options::to(Target::Path(PathBuf::new()))
        };
        let options = wire.over(usual, roots).map_err(napi::Error::from_reason)?;
        let owner = JsOwner { core: Arc::clone(engine), call };
        let (socket, task) = Socket::new(options, Box::new(owner), Box::new(FastRandom))
            .map_err(|error| napi::Error::from_reason(error.to_string()))?;
        engine.start(call, move |registration| async move {
            task.run().await;
            drop(registration);
        })?;
        Ok(NativeSocket { socket })
    }

    /// 0: taken; 1: taken, and the next write is to wait for room; 2: refused.
    #[napi]
    pub fn write(&self, bytes: &[u8], awaited: bool) -> u32 {
        number(self.socket.write(copied(bytes), awaited))
    }

    /// Several writes in one piece, whose lengths are in `lengths`, up to the first that there is no room after or for. The
    /// flag belongs to all of them. Returns how many were written, times four, and what became of the last.
    #[napi]
    pub fn write_all(&self, bytes: &[u8], lengths: &[u32], awaited: bool) -> u32 {
        let mut rest = copied(bytes);
        let writes = lengths.iter().map(|&length| rest.split_to((length as usize).min(rest.len())));
        let (count, last) = self.socket.write_all(writes, awaited);
        count * 4 + number(last)
    }

    #[napi]
    pub fn end(&self) {
        self.socket.end();
    }

    /// To be followed by the call's being cancelled, which is its end.
    #[napi]
    pub fn end_with_reset(&self) {
        self.socket.end_with_reset();
    }

    #[napi]
    pub fn taken(&self, bytes: u32) {
        self.socket.taken(bytes as usize);
    }

    #[napi]
    pub fn greet(&self, generation: u32, bytes: &[u8]) -> bool {
        self.socket.greet(generation, Bytes::copy_from_slice(bytes))
    }

    /// `fault`: why the greeting failed, as JSON.
    #[napi]
    pub fn greeted(&self, generation: u32, fault: Option<String>) -> napi::Result<()> {
        let outcome = match fault {
            None => Ok(()),
            Some(json) => {
                let fault: Fault =
                    serde_json::from_str(&json).map_err(|error| napi::Error::from_reason(error.to_string()))?;
                // Whatever it was: it counts as a failed attempt, and is tried again like any other.
                Err(Box::new(Fault { transient: true, phase: Phase::Handshake, ..fault }))
            }
        };
        self.socket.greeted(generation, outcome);
        Ok(())
    }

    #[napi]
    pub fn acknowledge(&self, messages: u32) -> bool {
        self.socket.acknowledge(messages.into())
    }

    #[napi]
    pub fn set_no_delay(&self, on: bool) {
        self.socket.set_no_delay(on);
    }

    /// Milliseconds of silence; negative: not at all.
    #[napi]
    pub fn set_keep_alive(&self, after: f64) {
        self.socket.set_keep_alive(milliseconds::from_js(after));
    }

    /// As JSON.
    #[napi]
    pub fn stats(&self) -> String {
        stats_json(&self.socket.stats()).to_string()
    }
}

/// What is written is the caller's memory, who may use it again as soon as `write` has returned.
fn copied(bytes: &[u8]) -> Bytes {
    /// Below, what goes round does not pay for its bookkeeping.
    const MANY: usize = 8 * 1024;
    if bytes.len() > MANY { Bytes::from_owner(Block::copy_of(bytes)) } else { Bytes::copy_from_slice(bytes) }
}

fn number(accepted: Accepted) -> u32 {
    match accepted {
        Accepted::Room => 0,
        Accepted::Full => 1,
        Accepted::Refused => 2,
    }
}

impl Wire<'_> {
    fn over(self, usual: Options, roots: Option<&NativeRoots>) -> Result<Options, String> {
        let retry = policy::Options::from_json(self.reconnect.get())?;
        let target = match (self.host, self.port, self.path) {
            (Some(host), Some(port), None) => Target::Tcp { host, port },
            (None, None, Some(path)) => Target::Path(path),
            _ => return Err("a socket needs a host and a port, or a path".to_owned()),
        };
        let family = match self.family {
            4 => Some(Family::V4),
            6 => Some(Family::V6),
            _ => None,
        };
        let route = Route {
            family,
            first_only: self.first_only,
            local_address: self.local_address,
            local_port: self.local_port,
        };
        Ok(Options {
            target,
            route,
            tls: self.tls.map(|tls| tls.read(roots)).transpose()?,
            connect_timeout: self.connect_timeout.map(time).transpose()?,
            greets: self.greets,
            reconnect: Reconnect {
                retries: retry.retries,
                backoff: retry.backoff,
                within: Some(retry.within).filter(|within| *within < LONGEST_TIMER),
            },
            min_uptime: time(self.min_uptime)?,
            reconnect_on_end: self.reconnect_on_end,
            queue: Limits {
                bytes: self.queue.bytes,
                age: self.queue.age.map(time).transpose()?,
                when_full: if self.queue.refuses { WhenFull::Refuse } else { WhenFull::Block },
            },
            frame: self.frame.map(WireFrame::read),
            resends: self.resends,
            heartbeat: self.heartbeat.map(WireHeartbeat::read).transpose()?,
            no_delay: self.no_delay,
            keep_alive: self.keep_alive.map(time).transpose()?,
            ..usual
        })
    }
}

impl WireSocketTls {
    fn read(self, roots: Option<&NativeRoots>) -> Result<Tls, String> {
        let name = self.name.try_into().map_err(|_| "servername is no name that TLS knows".to_owned())?;
        let mut options = self.options.read()?.options(true);
        if let (Trust::Later(late), Some(roots)) = (&options.trust, roots) {
            late.settle(roots.shared());
        }
        // A Node without TLS has no roots to give.
        if matches!(&options.trust, Trust::Later(late) if late.get().is_none()) {
            options.trust = Trust::Bundled;
        }
        let alpn = self.alpn.into_iter().map(|name| bytes_of(&name)).collect();
        Ok(Tls { options, name, alpn, reject_unauthorized: self.reject_unauthorized })
    }
}

impl WireFrame {
    fn read(self) -> Frame {
        match self {
            WireFrame::Delimiter { delimiter } => Frame::Delimiter(bytes_of(&delimiter).into()),
            WireFrame::Length { length_bytes, little_endian, includes_length } => {
                Frame::Length { bytes: length_bytes, little_endian, includes_itself: includes_length }
            }
        }
    }
}

impl WireHeartbeat {
    fn read(self) -> Result<Heartbeat, String> {
        Ok(Heartbeat {
            interval: time(self.interval)?,
            timeout: time(self.timeout)?,
            send: bytes_of(&self.send).into(),
            expect: bytes_of(&self.expect).into(),
        })
    }
}

/// Each character is one byte.
pub(super) fn bytes_of(text: &str) -> Vec<u8> {
    text.chars().map(|character| character as u8).collect()
}

pub(super) fn time(given: f64) -> Result<Duration, String> {
    milliseconds::from_js(given).ok_or_else(|| format!("{given} is no time"))
}

struct JsOwner {
    core: Arc<Core>,
    call: u32,
}

impl Owner for JsOwner {
    fn tell(&self, event: Event) {
        self.core.push(match event {
            Event::Data { bytes } => {
                let (flags, value) = data_value(bytes);
                let mut data = Completion { flags, ..Completion::new(Kind::Received, self.call) };
                data.values[0] = value;
                data
            }
            Event::Fate(Fate::Sent { writes }) => {
                Completion { number: writes.into(), ..Completion::new(Kind::Sent, self.call) }
            }
            Event::Fate(Fate::Room) => Completion::new(Kind::Room, self.call),
            rare => Completion::json(Kind::Socket, self.call, event_json(&rare).to_string()),
        });
    }
}

/// What streams in is lent to JavaScript, and what is less copied: a lent buffer costs the event loop about as much as to copy
/// 100 KiB.
fn data_value(bytes: Block) -> (u32, Value) {
    match bytes {
        streamed if streamed.is_owned() => (BUFFER, Value::Lent(streamed)),
        some if some.len() > STRING_BODY => (BUFFER, Value::Copied(some)),
        few => body_value(few.into_vec()),
    }
}

fn event_json(event: &Event) -> Json {
    match event {
        Event::Lookup { host, outcome } => match outcome {
            Ok(addresses) => json!({ "type": "lookup", "host": host, "addresses": addresses }),
            Err(fault) => json!({ "type": "lookup", "host": host, "fault": fault_json(fault) }),
        },
        Event::Connected(connected) => connected_json(connected),
        Event::Up { generation, again } => {
            let again = again
                .map(|again| json!({ "attempts": again.attempts, "downtime": milliseconds::to_js(again.downtime) }));
            json!({ "type": "up", "generation": generation, "again": again })
        }
        Event::Fate(Fate::Unsent { writes, bytes, why }) => {
            let why = match why {
                Why::Expired => "expired",
                Why::Cut => "cut",
            };
            json!({ "type": "unsent", "writes": writes, "bytes": bytes, "why": why })
        }
        Event::Down(loss) => {
            let Loss { fault, unacknowledged, uptime, .. } = &**loss;
            json!({
                "type": "down",
                "fault": fault_json(fault),
                "unacknowledged": unacknowledged,
                "uptime": milliseconds::to_js(*uptime),
            })
        }
        Event::Waiting { attempt, delay, fault } => json!({
            "type": "waiting",
            "attempt": attempt,
            "delay": milliseconds::to_js(*delay),
            "fault": fault_json(fault),
        }),
        Event::PeerEnded => json!({ "type": "peerEnded" }),
        Event::Finished => json!({ "type": "finished" }),
        Event::Over(None) => json!({ "type": "over" }),
        Event::Over(Some(end)) => {
            let End { fault, gave_up, attempts } = &**end;
            let gave_up = gave_up.map(policy::GaveUp::as_str);
            json!({ "type": "over", "fault": fault_json(fault), "gaveUp": gave_up, "attempts": attempts })
        }
        // They cross in forms of their own.
        Event::Data { .. } | Event::Fate(_) => Json::Null,
    }
}

fn connected_json(connected: &Connected) -> Json {
    let Connected { generation, local, remote, tls } = connected;
    json!({
        "type": "connected",
        "generation": generation,
        "local": address_json(*local),
        "remote": address_json(*remote),
        "tls": tls.as_ref().map(secured_json),
    })
}

pub(super) fn address_json(address: Option<SocketAddr>) -> Json {
    address.map_or(Json::Null, |address| json!({ "address": address.ip(), "port": address.port() }))
}

pub(super) fn secured_json(tls: &Secured) -> Json {
    let Secured { protocol, cipher, alpn, refusal, certificates } = tls;
    json!({
        "protocol": protocol,
        "cipher": cipher,
        "alpn": alpn.as_ref().map(|alpn| alpn.iter().map(|byte| char::from(*byte)).collect::<String>()),
        "refusal": refusal,
        "certificates": certificates.iter().map(|bytes| hex(bytes)).collect::<Vec<_>>(),
    })
}

/// Two digits for each byte; made for every connection, so at one allocation.
fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        hex.push(char::from(DIGITS[usize::from(byte >> 4)]));
        hex.push(char::from(DIGITS[usize::from(byte & 0xf)]));
    }
    hex
}

fn stats_json(stats: &Stats) -> Json {
    json!({
        "state": stats.state.as_str(),
        "generation": stats.generation,
        "uptime": stats.uptime.map(milliseconds::to_js),
        "reconnects": stats.reconnects,
        "bytesRead": stats.bytes_read,
        "bytesWritten": stats.bytes_written,
        "queued": stats.queued,
        "unacknowledged": stats.unacknowledged,
        "acknowledged": stats.acknowledged,
        "rtt": stats.rtt.map(milliseconds::to_js),
        "retransmits": stats.retransmits,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = r#"{ "host": "a.test", "port": 1, "family": 0, "firstOnly": false, "localPort": 0,
        "noDelay": true, "greets": false, "reconnect": { "retries": 4294967295, "within": 2147483647 },
        "minUptime": 5000, "reconnectOnEnd": true, "queue": { "bytes": 10, "refuses": true }, "resends": false"#;

    fn read(more: &str) -> Result<Options, String> {
        let json = format!("{LEAST}{more} }}");
        let wire: Wire<'_> = serde_json::from_str(&json).map_err(|error| error.to_string())?;
        wire.over(Options::to(Target::Path(PathBuf::new())), None)
    }

    #[test]
    fn without_end_is_without_end() {
        let options = read("").unwrap();
        assert_eq!((options.reconnect.retries, options.reconnect.within), (u32::MAX, None));
        assert_eq!((options.connect_timeout, options.keep_alive, options.queue.age), (None, None, None));
        assert_eq!(options.queue.when_full, WhenFull::Refuse);
    }

    #[test]
    fn bytes_are_characters() {
        let options = read(r#", "frame": { "delimiter": "\u0000\u00ff" }"#).unwrap();
        assert_eq!(options.frame, Some(Frame::Delimiter(b"\x00\xff".as_slice().into())));
        let heartbeat = r#", "heartbeat": { "interval": 1, "timeout": 2, "send": "a", "expect": "\u0080" }"#;
        assert_eq!(&*read(heartbeat).unwrap().heartbeat.unwrap().expect, b"\x80");
    }

    #[test]
    fn a_frame_by_length_is_read() {
        let frame = r#", "frame": { "lengthBytes": 4, "littleEndian": true, "includesLength": false }"#;
        let expected = Frame::Length { bytes: 4, little_endian: true, includes_itself: false };
        assert_eq!(read(frame).unwrap().frame, Some(expected));
    }

    #[test]
    fn two_targets_are_none() {
        assert!(read(r#", "path": "/x""#).is_err());
    }
}
