//! Whether a connection that ended, or never came to be, is followed by another attempt.
//!
//! The rule hangs on what the end says about the next try. A server that restarts, a proxy that lost its patience, a
//! network that broke: the next connection may last. A message that breaks the protocol, a policy, a limit, or an
//! application's own code will meet the same answer again, and a client that insists is a small attack.

use std::time::{Duration, SystemTime};

use crate::fault::Fault;

/// What a WebSocket ended with.
#[derive(Debug, Clone, Copy)]
pub enum End<'a> {
    /// The code of the `close` event: the peer's, or 1005, or 1006.
    Closed {
        code: u16,
        /// For 1006: why.
        fault: Option<&'a Fault>,
        /// The message that did it was set aside: see [`super::course::Oversized`].
        set_aside: bool,
    },
    /// The handshake was answered with something else than 101, by this fault: see [`Fault::from_status`].
    Refused(&'a Fault),
    /// There was no connection, or no valid answer.
    Failed(&'a Fault),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not before `after` has passed, if the server has asked for that (`Retry-After`).
    Reconnect {
        after: Option<Duration>,
    },
    Final,
}

/// `codes`: the caller's `reconnect.codes`, close codes that are retried besides the usual ones.
pub fn verdict(end: End<'_>, codes: &[u16], now: SystemTime) -> Verdict {
    let _ = now;
    let again = match end {
        End::Closed { code, fault, .. } => codes.contains(&code) || matches!(code, 1001 | 1005 | 1011..=1014) || (code == 1006 && fault.is_none_or(|fault| fault.transient)),
        End::Refused(fault) | End::Failed(fault) => fault.transient,
    };
    if again { Verdict::Reconnect { after: None } } else { Verdict::Final }
}
