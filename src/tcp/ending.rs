//! What the end of a connection is called.

use std::io;

use crate::fault::{Delivery, Ending, Fault, Phase};

/// What is known of a connection when it ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// The caller's writes could leave.
    pub up: bool,
    /// Some of them are not acknowledged, or only begun.
    pub outstanding: bool,
    /// Something was sent since something was received last.
    pub asked: bool,
    pub delivery: Delivery,
}

impl Known {
    /// A socket knows nothing of questions and answers. What it has sent and not heard back about is the nearest thing.
    pub fn phase(self) -> Phase {
        match self {
            Known { up: false, .. } => Phase::Handshake,
            Known { outstanding: true, .. } => Phase::Send,
            Known { asked: true, .. } => Phase::Wait,
            Known { .. } => Phase::Idle,
        }
    }

    /// The peer sent its end. With something outstanding that is as bad as a reset: it will not be answered.
    pub fn by_fin(self) -> Fault {
        let phase = self.phase();
        if phase == Phase::Idle {
            return Fault::new("ERR_SOCKET_CLOSED", phase, self.delivery)
                .with_ending(Ending::Fin)
                .with_reason("The peer ended the connection.");
        }
        self.said(Fault::new("ECONNRESET", phase, self.delivery).with_ending(Ending::Fin))
    }

    /// Before it is up, the hands have been shaken and it is the caller's greeting that is under way.
    fn said(self, fault: Fault) -> Fault {
        if self.up { fault } else { fault.with_reason("The connection was lost before onConnect was done.") }
    }

    /// The system reported an error. `EPIPE` is how it tells a writer of an RST that nobody read.
    pub fn by_error(self, error: &io::Error, syscall: &'static str) -> Fault {
        let fault = self.said(Fault::from_io(error, self.phase(), self.delivery).with_syscall(syscall));
        match error.kind() {
            io::ErrorKind::BrokenPipe => fault.with_ending(Ending::Rst),
            _ => fault,
        }
    }

    pub fn by_silence(self) -> Fault {
        Fault::new("ETIMEDOUT", self.phase(), self.delivery)
            .with_reason("The peer did not answer the heartbeat in time.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Kind;

    const KNOWN: Known = Known { up: true, outstanding: false, asked: false, delivery: Delivery::Unknown };

    #[test]
    fn an_orderly_end_is_a_reset_if_something_was_outstanding() {
        let idle = KNOWN.by_fin();
        assert_eq!((idle.kind, idle.phase, idle.ending), (Kind::Closed, Phase::Idle, Some(Ending::Fin)));
        assert!(idle.transient);
        for (known, phase) in [
            (Known { outstanding: true, ..KNOWN }, Phase::Send),
            (Known { asked: true, ..KNOWN }, Phase::Wait),
            (Known { up: false, ..KNOWN }, Phase::Handshake),
        ] {
            let fault = known.by_fin();
            assert_eq!((&*fault.code, fault.phase, fault.ending), ("ECONNRESET", phase, Some(Ending::Fin)));
            assert!(!fault.reason.contains("TLS"), "{}", fault.reason);
        }
    }

    #[test]
    fn how_it_ended_is_told() {
        let ending = |kind: io::ErrorKind| KNOWN.by_error(&kind.into(), "read").ending;
        assert_eq!(ending(io::ErrorKind::ConnectionReset), Some(Ending::Rst));
        assert_eq!(ending(io::ErrorKind::BrokenPipe), Some(Ending::Rst));
        assert_eq!(ending(io::ErrorKind::TimedOut), None);
        assert_eq!(KNOWN.by_error(&io::ErrorKind::HostUnreachable.into(), "read").kind, Kind::Unreachable);
        assert_eq!(KNOWN.by_silence().kind, Kind::Timeout);
    }
}
