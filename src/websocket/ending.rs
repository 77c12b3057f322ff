//! What the end of a connection is called.
//!
//! A WebSocket that breaks has one code for everything, 1006. What stands behind it is known here: who ended the
//! connection and how, what was going on, how long nothing had been, and whether a large message had just left.

use std::io;
use std::time::Duration;

use super::course::Death;
use super::engine::Close;
use super::event::{Closure, Traffic};
use crate::fault::{Delivery, Ending, Fault, Kind, Phase};

/// Silence that makes an idle timeout of a server or of something between the likely reason.
const LONG_IDLE: Duration = Duration::from_secs(10);

/// A connection, or an attempt at one, that is over.
#[derive(Debug)]
pub struct Ended {
    pub closure: Closure,
    pub fault: Box<Fault>,
    pub how: How,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// There was no connection, or no valid answer.
    Failed,
    /// The handshake was answered with something else than 101.
    Refused,
    /// The peer said Close.
    Closed,
    /// Without a Close frame of the peer's.
    Broken,
    /// By the caller.
    Asked,
}

/// What happened to a connection.
#[derive(Debug)]
pub enum Stop {
    /// The peer's end, without a Close frame.
    Fin,
    Failed {
        error: io::Error,
        syscall: &'static str,
    },
    /// Nothing came for too long.
    Silence,
    /// The peer broke a rule of the protocol. `name`: as ws calls it.
    Rule {
        name: &'static str,
        what: String,
    },
    /// The peer's Close frame.
    Close(Option<Close>),
    /// The caller's greeting failed.
    Greeting(Box<Fault>),
    /// The caller wanted it.
    Caller(Closure),
}

impl Stop {
    /// As far as large sends are concerned.
    pub fn death(&self) -> Death {
        match self {
            Stop::Close(Some(Close { code: 1009, .. })) => Death::TooBig,
            Stop::Fin => Death::Abrupt,
            Stop::Failed { error, .. } if is_reset(error) => Death::Abrupt,
            _ => Death::Other,
        }
    }
}

/// `EPIPE` is how a system tells a writer of an RST that nobody read.
fn is_reset(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}

/// What is known of a connection when it ends.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// The caller's messages could leave.
    pub up: bool,
    /// Some of what left is not acknowledged, or a message only begun.
    pub outstanding: bool,
    /// A message was sent since the last one came.
    pub asked: bool,
    /// The peer had begun a frame and not ended it.
    pub within_frame: bool,
    pub traffic: Traffic,
    /// The large message that was going on or had just left.
    pub after_large: Option<usize>,
}

impl Known {
    fn phase(&self) -> Phase {
        match self {
            Known { up: false, .. } => Phase::Handshake,
            Known { within_frame: true, .. } => Phase::Receive,
            Known { outstanding: true, .. } => Phase::Send,
            Known { asked: true, .. } => Phase::Wait,
            Known { .. } => Phase::Idle,
        }
    }

    fn delivery(&self) -> Delivery {
        if self.traffic.last_send.is_some() { Delivery::Unknown } else { Delivery::NotSent }
    }

    /// What its end is called.
    pub fn ended(&self, stop: Stop) -> Ended {
        match stop {
            Stop::Fin => {
                let fault = Fault::new("ECONNRESET", self.phase(), self.delivery()).with_ending(Ending::Fin);
                let reason = self.told("The peer ended the connection (FIN) without a Close frame");
                self.lost(fault.with_reason(reason), How::Broken)
            }
            Stop::Failed { error, syscall } => self.by_error(&error, syscall),
            Stop::Silence => self.by_silence(),
            Stop::Rule { name, what } => self.by_rule(name, &what),
            Stop::Close(close) => self.by_close(close),
            Stop::Greeting(fault) => self.lost(*fault, How::Failed),
            Stop::Caller(closure) => {
                let fault = Fault::new("ERR_SOCKET_CLOSED", Phase::Idle, self.delivery());
                Ended { closure, fault: Box::new(fault), how: How::Asked }
            }
        }
    }

    fn by_error(&self, error: &io::Error, syscall: &'static str) -> Ended {
        let mut fault = Fault::from_io(error, self.phase(), self.delivery()).with_syscall(syscall);
        if is_reset(error) {
            let reason = self.told("The connection was reset (RST)");
            fault = fault.with_ending(Ending::Rst).with_reason(reason);
        }
        self.lost(fault, How::Broken)
    }

    fn by_silence(&self) -> Ended {
        let Traffic { read, written, idle, .. } = self.traffic;
        let fault = Fault::new("ETIMEDOUT", self.phase(), self.delivery());
        let reason = format!(
            "The heartbeat was not answered, and nothing else has come for {} ({} in, {} out).",
            seconds(idle),
            bytes(read),
            bytes(written),
        );
        self.lost(fault.with_reason(reason), How::Broken)
    }

    fn by_rule(&self, name: &'static str, what: &str) -> Ended {
        let mut fault = Fault::new(name, Phase::Receive, self.delivery());
        let too_large = name == "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
        fault.kind = if too_large { Kind::TooLarge } else { Kind::Protocol };
        // The same server would say the same again.
        fault.transient = false;
        self.lost(fault.with_reason(format!("The connection was closed because {what}.")), How::Broken)
    }

    fn by_close(&self, close: Option<Close>) -> Ended {
        // A Close frame without a code is 1005.
        let (code, reason) = close.map_or((1005, String::new()), |Close { code, reason }| (code, reason));
        let mut fault = Fault::new(format!("WS_{code}"), self.phase(), self.delivery());
        if let (1009, Some(size)) = (code, self.after_large) {
            fault.reason = format!("{} It followed a message of {}.", fault.reason, bytes(size as u64)).into();
        }
        if !reason.is_empty() {
            fault = fault.with_detail(reason.clone());
        }
        Ended { closure: Closure { code, reason, was_clean: true }, fault: Box::new(fault), how: How::Closed }
    }

    fn lost(&self, fault: Fault, how: How) -> Ended {
        Ended { closure: Closure::abnormal(), fault: Box::new(fault), how }
    }

    fn told(&self, happened: &str) -> String {
        let Traffic { read, written, idle, .. } = self.traffic;
        let when = match (self.after_large, self.phase()) {
            (Some(size), _) => format!(" after a message of {} was sent to it", bytes(size as u64)),
            (None, Phase::Receive) => " in the middle of a frame".to_owned(),
            (None, Phase::Handshake) => " before onConnect was done".to_owned(),
            (None, Phase::Idle) if idle >= LONG_IDLE => {
                format!(" after {} without traffic, as an idle timeout does", seconds(idle))
            }
            (None, _) => String::new(),
        };
        format!("{happened}{when} ({} in, {} out).", bytes(read), bytes(written))
    }
}

fn seconds(time: Duration) -> String {
    match time.as_millis() {
        short @ 0..1000 => format!("{short} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

fn bytes(count: u64) -> String {
    match count {
        1 => "1 byte".to_owned(),
        _ => format!("{count} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: Known = Known {
        up: true,
        outstanding: false,
        asked: false,
        within_frame: false,
        traffic: Traffic { read: 10, written: 20, idle: Duration::ZERO, last_send: Some((5, Duration::ZERO)) },
        after_large: None,
    };

    fn failed(kind: io::ErrorKind) -> Stop {
        Stop::Failed { error: kind.into(), syscall: "read" }
    }

    #[test]
    fn the_way_it_ended_is_told() {
        let fin = KNOWN.ended(Stop::Fin);
        assert_eq!((fin.closure.code, fin.fault.ending), (1006, Some(Ending::Fin)));
        assert!(fin.fault.reason.contains("10 bytes in, 20 bytes out"), "{}", fin.fault.reason);
        for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe] {
            assert_eq!(failed(kind).death(), Death::Abrupt);
            let rst = KNOWN.ended(failed(kind));
            assert_eq!((rst.fault.ending, rst.closure), (Some(Ending::Rst), Closure::abnormal()));
        }
        let other = KNOWN.ended(failed(io::ErrorKind::HostUnreachable));
        assert_eq!((other.fault.kind, other.how), (Kind::Unreachable, How::Broken));
        assert_eq!(failed(io::ErrorKind::HostUnreachable).death(), Death::Other);
    }

    #[test]
    fn what_was_going_on_is_told() {
        let reason = |known: Known| known.ended(Stop::Fin).fault.reason.into_owned();
        assert!(reason(Known { after_large: Some(70_000), ..KNOWN }).contains("after a message of 70000 bytes"));
        assert!(reason(Known { within_frame: true, ..KNOWN }).contains("in the middle of a frame"));
        assert!(reason(Known { up: false, ..KNOWN }).contains("onConnect"));
        let idle = Traffic { idle: Duration::from_secs(60), ..KNOWN.traffic };
        assert!(reason(Known { traffic: idle, ..KNOWN }).contains("after 60.0 s without traffic"));
        assert!(!reason(Known { traffic: idle, asked: true, ..KNOWN }).contains("idle"), "it was asked something");
        let silent = Known { traffic: idle, ..KNOWN }.ended(Stop::Silence).fault;
        assert!(silent.reason.contains("heartbeat") && silent.reason.contains("60.0 s"), "{}", silent.reason);
    }

    #[test]
    fn phases_follow_what_was_going_on() {
        let phase = |known: Known| known.ended(Stop::Fin).fault.phase;
        assert_eq!(phase(KNOWN), Phase::Idle);
        assert_eq!(phase(Known { asked: true, ..KNOWN }), Phase::Wait);
        assert_eq!(phase(Known { asked: true, outstanding: true, ..KNOWN }), Phase::Send);
    }

    #[test]
    fn a_close_frame_speaks_for_itself() {
        let ended = KNOWN.ended(Stop::Close(Some(Close { code: 1001, reason: "bye".to_owned() })));
        assert_eq!((ended.closure.code, ended.closure.was_clean, ended.how), (1001, true, How::Closed));
        assert_eq!((&*ended.fault.code, ended.fault.detail.as_deref()), ("WS_1001", Some("bye")));
        assert_eq!(KNOWN.ended(Stop::Close(None)).closure.code, 1005);
        let large = Known { after_large: Some(9), ..KNOWN };
        let too_big = Stop::Close(Some(Close { code: 1009, reason: String::new() }));
        assert_eq!(too_big.death(), Death::TooBig);
        assert!(large.ended(too_big).fault.reason.contains("9 bytes"));
    }
}
