//! What happens to a WebSocket, on its way to JavaScript.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::super::call::fault_json;
use super::super::completion::{Completion, Kind, TEXT, shared_value, text_value};
use super::super::engine::Core;
use super::super::socket::{address_json, secured_json};
use crate::milliseconds;
use crate::policy::GaveUp;
use crate::websocket::event::{Closure, Connected, End, Event, Loss, Oversized, Owner, Traffic};
use crate::websocket::flow::{Change, Snapshot};
use crate::websocket::handshake::Refusal;
use crate::websocket::outbox::{self, Fate, Message, Why, Word};
use crate::websocket::{Stats, weight};

pub struct JsOwner {
    core: Arc<Core>,
    call: u32,
    text_as_bytes: Arc<AtomicBool>,
}

impl JsOwner {
    pub fn new(core: Arc<Core>, call: u32, text_as_bytes: Arc<AtomicBool>) -> Self {
        JsOwner { core, call, text_as_bytes }
    }

    fn completion(&self, kind: Kind) -> Completion {
        Completion::new(kind, self.call)
    }

    fn json(&self, event: &Json) -> Completion {
        Completion::json(Kind::Socket, self.call, event.to_string())
    }

    fn message(&self, kind: outbox::Kind, payload: bytes::Bytes, told: Kind, place: usize) -> Completion {
        let weight = weight(payload.len());
        let is_text = kind == outbox::Kind::Text;
        let (flags, value) = match is_text && !self.text_as_bytes.load(Ordering::Relaxed) {
            true => text_value(payload),
            false => shared_value(payload),
        };
        let mut completion = self.completion(told);
        completion.flags = flags | if is_text { TEXT } else { 0 };
        completion.number = weight as f64;
        completion.values[place] = value;
        completion
    }

    fn oversized(&self, oversized: Oversized) -> Completion {
        let Oversized { number, message: Message { kind, payload, .. }, largest, fault } = oversized;
        let told = json!({
            "bytes": payload.len(),
            "largest": Some(largest).filter(|largest| *largest > 0),
            "fault": fault_json(&fault),
        });
        let mut completion = self.message(kind, payload, Kind::Oversized, 1);
        completion.number = sequence(number);
        completion.values[0] = super::super::completion::Value::Utf8(told.to_string());
        completion
    }

    /// Ranges with one outcome, and the written ones of whom somebody waits to hear.
    fn fates(&self, fates: &[Fate], told: &mut Vec<Completion>) {
        for alike in fates.chunk_by(|one, next| (one.word, one.why, one.awaited) == (next.word, next.why, next.awaited))
        {
            let (Some(first), Some(last)) = (alike.first(), alike.last()) else { continue };
            if first.word == Word::Written {
                told.push(Completion { number: sequence(last.number), ..self.completion(Kind::Written) });
                continue;
            }
            // What is between two of them was written and nobody waits for it.
            for run in alike.chunk_by(|one, next| next.number == one.number + 1) {
                told.push(self.json(&json!({ "type": "fates", "fates": [range_json(run)] })));
            }
        }
    }
}

impl Owner for JsOwner {
    fn tell(&self, events: &mut Vec<Event>) {
        let mut told = Vec::with_capacity(events.len());
        for event in events.drain(..) {
            match event {
                Event::Message { kind, payload } => told.push(self.message(kind, payload, Kind::Message, 0)),
                Event::Ping(payload) => told.push(self.message(outbox::Kind::Binary, payload, Kind::Ping, 0)),
                Event::Pong(payload) => told.push(self.message(outbox::Kind::Binary, payload, Kind::Pong, 0)),
                Event::Fates(fates) => self.fates(&fates, &mut told),
                Event::Drained => told.push(self.completion(Kind::Room)),
                Event::Oversized(oversized) => told.push(self.oversized(*oversized)),
                rare => told.push(self.json(&event_json(&rare))),
            }
        }
        self.core.push_all(&mut told);
    }
}

/// JavaScript counts from 1.
fn sequence(number: u64) -> f64 {
    (number + 1) as f64
}

fn range_json(run: &[Fate]) -> Json {
    let first = run[0];
    let why = first.why.map(|why| match why {
        Why::Expired => "expired",
        Why::Cut => "lost",
        Why::Oversized => "oversized",
        Why::Over => "closed",
    });
    json!({
        "from": sequence(first.number),
        "to": sequence(first.number + run.len() as u64 - 1),
        "bytes": run.iter().map(|fate| fate.bytes).sum::<usize>(),
        "outcome": if first.word == Word::Unsent { "unsent" } else { "unknown" },
        "why": why,
    })
}

fn event_json(event: &Event) -> Json {
    match event {
        Event::Provide { attempt } => json!({ "type": "provide", "attempt": attempt }),
        Event::Redirected { status, url, headers } => {
            json!({ "type": "redirect", "status": status, "url": url, "headers": headers })
        }
        Event::Refused(refusal) => {
            let Refusal { status, phrase, headers, body, fault } = &**refusal;
            json!({
                "type": "unexpectedResponse",
                "status": status,
                "statusText": phrase,
                "headers": headers,
                "body": body.iter().copied().map(char::from).collect::<String>(),
                "fault": fault_json(fault),
            })
        }
        Event::Connected(connected) => connected_json(connected),
        Event::Up { generation, again } => {
            let again = again
                .map(|again| json!({ "attempts": again.attempts, "downtime": milliseconds::to_js(again.downtime) }));
            json!({ "type": "up", "generation": generation, "again": again })
        }
        Event::Adapted(Change { why, frame, pace }) => json!({
            "type": "adapt",
            "reason": why.as_str(),
            "frame": frame.1,
            "previousFrame": frame.0,
            "pace": pace.1,
            "previousPace": pace.0,
        }),
        Event::Down(loss) => down_json(loss),
        Event::ShouldReconnect { id, closure, fault, usual } => json!({
            "type": "shouldReconnect",
            "id": id,
            "close": closure_json(closure),
            "fault": fault_json(fault),
            "usual": usual,
        }),
        Event::Waiting { attempt, delay, fault } => json!({
            "type": "waiting",
            "attempt": attempt,
            "delay": milliseconds::to_js(*delay),
            "fault": fault_json(fault),
        }),
        Event::Over(end) => {
            let End { closure, fault, gave_up, attempts } = &**end;
            let mut told = json!({ "type": "over", "close": closure_json(closure), "attempts": attempts });
            if let Some(fault) = fault {
                told["fault"] = fault_json(fault);
            }
            if let Some(gave_up) = gave_up {
                told["gaveUp"] = GaveUp::as_str(*gave_up).into();
            }
            told
        }
        // They cross in forms of their own.
        Event::Message { .. }
        | Event::Ping(_)
        | Event::Pong(_)
        | Event::Fates(_)
        | Event::Drained
        | Event::Oversized(_) => Json::Null,
    }
}

fn connected_json(connected: &Connected) -> Json {
    let Connected { generation, url, headers, protocol, extensions, local, remote, tls } = connected;
    json!({
        "type": "connected",
        "generation": generation,
        "status": 101,
        "url": url,
        "headers": headers,
        "protocol": protocol,
        "extensions": extensions,
        "local": address_json(*local),
        "remote": address_json(*remote),
        "tls": tls.as_ref().map(secured_json),
    })
}

fn down_json(loss: &Loss) -> Json {
    let Loss { closure, fault, unacknowledged, uptime, traffic } = loss;
    let Traffic { read, written, idle, last_send } = *traffic;
    json!({
        "type": "down",
        "close": closure_json(closure),
        "fault": fault_json(fault),
        "unacknowledged": unacknowledged,
        "uptime": milliseconds::to_js(*uptime),
        "bytesRead": read,
        "bytesWritten": written,
        "idle": milliseconds::to_js(idle),
        "lastSend": last_send.map(|(bytes, ago)| json!({ "bytes": bytes, "ago": milliseconds::to_js(ago) })),
    })
}

fn closure_json(closure: &Closure) -> Json {
    json!({ "code": closure.code, "reason": closure.reason, "wasClean": closure.was_clean })
}

pub fn flow_json(snapshot: Option<Snapshot>) -> Json {
    snapshot.map_or(Json::Null, |Snapshot { frame, pace, window, largest, oversized, drops }| {
        json!({
            "frame": frame,
            "pace": pace,
            "window": window,
            "largest": largest,
            "oversized": oversized,
            "drops": drops,
        })
    })
}

pub fn stats_json(stats: &Stats) -> Json {
    let time = |time: Option<Duration>| time.map(milliseconds::to_js);
    json!({
        "state": stats.stage.as_str(),
        "generation": stats.generation,
        "uptime": time(stats.uptime),
        "reconnects": stats.reconnects,
        "bytesRead": stats.bytes_read,
        "bytesWritten": stats.bytes_written,
        "messagesRead": stats.messages_read,
        "messagesWritten": stats.messages_written,
        "buffered": stats.buffered,
        "ping": time(stats.round_trip),
        "rtt": time(stats.rtt),
        "retransmits": stats.retransmits,
    })
}
