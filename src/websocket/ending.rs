//! What the end of a connection is called.
//!
//! A WebSocket that breaks has one code for everything, 1006. What stands behind it is known here: who ended the
//! connection and how, what was going on, how long nothing had been, and whether a large message had just left.

use std::io;
use std::time::Duration;

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
    /// RST, or FIN without a Close frame.
    Abrupt,
    /// Silence, or a rule that the peer broke.
    Otherwise,
    /// By the caller.
    Asked,
}

/// What is known of a connection when it ends.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// The caller's messages could leave.
    pub up: bool,
    /// Some of what left is not acknowledged, or a message only begun.
    pub outstanding: bool,
    /// A message was sent since anything came last.
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

    pub fn by_fin(&self) -> Ended {
        let fault = Fault::new("ECONNRESET", self.phase(), self.delivery()).with_ending(Ending::Fin);
        let reason = self.told("The peer ended the connection (FIN) without a Close frame");
        self.lost(fault.with_reason(reason), How::Abrupt)
    }

    /// `EPIPE` is how a system tells a writer of an RST that nobody read.
    pub fn by_error(&self, error: &io::Error, syscall: &'static str) -> Ended {
        let mut fault = Fault::from_io(error, self.phase(), self.delivery()).with_syscall(syscall);
        if error.kind() == io::ErrorKind::BrokenPipe {
            fault.ending = Some(Ending::Rst);
        }
        match fault.ending {
            Some(_) => {
                let reason = self.told("The connection was reset (RST)");
                self.lost(fault.with_reason(reason), How::Abrupt)
            }
            None => self.lost(fault, How::Otherwise),
        }
    }

    pub fn by_silence(&self, asked_for: Duration) -> Ended {
        let fault = Fault::new("ETIMEDOUT", self.phase(), self.delivery());
        let reason = format!(
            "Nothing came for {} after a ping: the peer is gone, or does not answer ({} in, {} out).",
            seconds(asked_for),
            bytes(self.traffic.read),
            bytes(self.traffic.written),
        );
        self.lost(fault.with_reason(reason), How::Otherwise)
    }

    /// The peer broke a rule of the protocol.
    pub fn by_rule(&self, code: &'static str, what: &str) -> Ended {
        let mut fault = Fault::new(code, Phase::Receive, self.delivery());
        let kind = if code == "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" { Kind::TooLarge } else { Kind::Protocol };
        (fault.kind, fault.transient) = (kind, false);
        self.lost(fault.with_reason(format!("The WebSocket was closed: {what}.")), How::Otherwise)
    }

    pub fn by_close(&self, close: Option<&Close>, was_clean: bool) -> Ended {
        let closure = match close {
            Some(Close { code, reason }) => Closure { code: *code, reason: reason.clone(), was_clean },
            // A Close frame without a code.
            None => Closure { code: 1005, reason: String::new(), was_clean },
        };
        let mut fault = Fault::new(format!("WS_{}", closure.code), self.phase(), self.delivery());
        if !closure.reason.is_empty() {
            fault = fault.with_detail(closure.reason.clone());
        }
        if let (1009, Some(size)) = (closure.code, self.after_large) {
            fault.reason = format!("{} It followed a message of {}.", fault.reason, bytes(size as u64)).into();
        }
        Ended { closure, fault: Box::new(fault), how: How::Closed }
    }

    /// By the caller, who wants no other one.
    pub fn by_caller(closure: Closure) -> Ended {
        let fault = Fault::new("ERR_SOCKET_CLOSED", Phase::Idle, Delivery::Unknown);
        Ended { closure, fault: Box::new(fault), how: How::Asked }
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

    #[test]
    fn the_way_it_ended_is_told() {
        let fin = KNOWN.by_fin();
        assert_eq!((fin.closure.code, fin.fault.ending, fin.how), (1006, Some(Ending::Fin), How::Abrupt));
        assert!(fin.fault.reason.contains("10 bytes in, 20 bytes out"), "{}", fin.fault.reason);
        for kind in [io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe] {
            let rst = KNOWN.by_error(&kind.into(), "read");
            assert_eq!((rst.fault.ending, rst.how), (Some(Ending::Rst), How::Abrupt));
        }
        let other = KNOWN.by_error(&io::ErrorKind::HostUnreachable.into(), "read");
        assert_eq!((other.fault.kind, other.how), (Kind::Unreachable, How::Otherwise));
    }

    #[test]
    fn what_was_going_on_is_told() {
        let reason = |known: Known| known.by_fin().fault.reason.into_owned();
        assert!(reason(Known { after_large: Some(70_000), ..KNOWN }).contains("after a message of 70000 bytes"));
        assert!(reason(Known { within_frame: true, ..KNOWN }).contains("in the middle of a frame"));
        assert!(reason(Known { up: false, ..KNOWN }).contains("onConnect"));
        let idle = Traffic { idle: Duration::from_secs(60), ..KNOWN.traffic };
        assert!(reason(Known { traffic: idle, ..KNOWN }).contains("after 60.0 s without traffic"));
        assert!(!reason(Known { traffic: idle, asked: true, ..KNOWN }).contains("idle"), "it was asked something");
    }

    #[test]
    fn phases_follow_what_was_going_on() {
        let phase = |known: Known| known.by_fin().fault.phase;
        assert_eq!(phase(KNOWN), Phase::Idle);
        assert_eq!(phase(Known { asked: true, ..KNOWN }), Phase::Wait);
        assert_eq!(phase(Known { asked: true, outstanding: true, ..KNOWN }), Phase::Send);
    }

    #[test]
    fn a_close_frame_speaks_for_itself() {
        let close = Close { code: 1001, reason: "bye".to_owned() };
        let ended = KNOWN.by_close(Some(&close), true);
        assert_eq!((ended.closure.code, ended.closure.was_clean, ended.how), (1001, true, How::Closed));
        assert_eq!((&*ended.fault.code, ended.fault.detail.as_deref()), ("WS_1001", Some("bye")));
        assert_eq!(KNOWN.by_close(None, true).closure.code, 1005);
    }
}
