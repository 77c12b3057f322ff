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
    let again = match end {
        End::Closed { code, .. } if codes.contains(&code) => true,
        // Only the message was at fault, and that one is gone.
        End::Closed { set_aside: true, .. } => true,
        End::Closed { code: ABNORMAL, fault: Some(fault), .. } => fault.transient,
        End::Closed { code, .. } => Fault::of_code(format!("WS_{code}")).transient,
        End::Refused(fault) => fault.status.is_some_and(is_worth_another_handshake),
        End::Failed(fault) => fault.transient,
    };
    if !again {
        return Verdict::Final;
    }
    let asked = match end {
        End::Refused(fault) => fault.retry_after,
        End::Closed { .. } | End::Failed(_) => None,
    };
    Verdict::Reconnect { after: asked.map(|asked| asked.delay_from(now)) }
}

/// There was no Close frame, or the connection was failed by us.
const ABNORMAL: u16 = 1006;

/// Every 5xx, since nothing was asked for that could have had an effect; and what says "later".
fn is_worth_another_handshake(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Delivery, Phase, RetryAfter};

    const AGAIN: Verdict = Verdict::Reconnect { after: None };
    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn closed(code: u16, codes: &[u16]) -> Verdict {
        verdict(End::Closed { code, fault: None, set_aside: false }, codes, NOW)
    }

    fn refused(status: u16, retry_after: Option<RetryAfter>) -> Verdict {
        verdict(End::Refused(&Fault::from_status(status, retry_after)), &[], NOW)
    }

    /// Every close code there can be, and these are all.
    #[test]
    fn these_close_codes_are_retried_and_no_other() {
        let retried: Vec<u16> = (0..=5000).filter(|code| closed(*code, &[]) == AGAIN).collect();
        assert_eq!(retried, [1001, 1005, 1006, 1011, 1012, 1013, 1014]);
        for code in [1000, 1002, 1003, 1004, 1007, 1008, 1009, 1010, 1015, 1016, 3000, 3999, 4000, 4999] {
            assert_eq!(closed(code, &[]), Verdict::Final, "{code}");
            assert_eq!(closed(code, &[code]), AGAIN, "{code} is asked for");
            assert_eq!(closed(code, &[code + 1]), Verdict::Final, "{code}");
        }
        assert_eq!(closed(1001, &[4000]), AGAIN, "codes are added, not put in place");
    }

    /// Every status there can be, and these are all.
    #[test]
    fn these_handshake_statuses_are_retried_and_no_other() {
        let retried: Vec<u16> = (100..600).filter(|status| refused(*status, None) == AGAIN).collect();
        let mut expected = vec![408, 425, 429];
        expected.extend(500..600);
        assert_eq!(retried, expected);
        for status in [200, 301, 302, 400, 401, 403, 404, 426] {
            assert_eq!(refused(status, None), Verdict::Final, "{status}");
        }
    }

    #[test]
    fn retry_after_is_obeyed() {
        let seconds = |seconds| Some(RetryAfter::Delay(Duration::from_secs(seconds)));
        assert_eq!(refused(503, seconds(7)), Verdict::Reconnect { after: Some(Duration::from_secs(7)) });
        assert_eq!(refused(429, seconds(1)), Verdict::Reconnect { after: Some(Duration::from_secs(1)) });
        let date = Some(RetryAfter::At(NOW + Duration::from_secs(3)));
        assert_eq!(refused(503, date), Verdict::Reconnect { after: Some(Duration::from_secs(3)) });
        assert_eq!(refused(401, seconds(7)), Verdict::Final);
    }

    #[test]
    fn a_1006_is_what_it_was() {
        let lost = |code: &'static str| {
            let fault = Fault::new(code, Phase::Wait, Delivery::Unknown);
            verdict(End::Closed { code: 1006, fault: Some(&fault), set_aside: false }, &[], NOW)
        };
        for (code, expected) in [
            ("ECONNRESET", AGAIN),
            ("ETIMEDOUT", AGAIN),
            ("EPIPE", AGAIN),
            ("WS_ERR_UNEXPECTED_MASK", Verdict::Final),
            ("WS_ERR_INVALID_UTF8", Verdict::Final),
            ("WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", Verdict::Final),
        ] {
            assert_eq!(lost(code), expected, "{code}");
        }
        let fault = Fault::of_code("WS_ERR_INVALID_UTF8");
        let end = End::Closed { code: 1006, fault: Some(&fault), set_aside: false };
        assert_eq!(verdict(end, &[1006], NOW), AGAIN, "the caller says so");
    }

    #[test]
    fn a_message_that_was_set_aside_takes_the_blame_with_it() {
        for code in [1009, 1006] {
            let end = End::Closed { code, fault: None, set_aside: true };
            assert_eq!(verdict(end, &[], NOW), AGAIN, "{code}");
        }
        assert_eq!(closed(1009, &[]), Verdict::Final);
    }

    #[test]
    fn a_connection_that_did_not_come_about_is_tried_again_if_that_may_help() {
        let failed =
            |code: &'static str| verdict(End::Failed(&Fault::new(code, Phase::Connect, Delivery::NotSent)), &[], NOW);
        for (code, expected) in [
            ("ECONNREFUSED", AGAIN),
            ("ETIMEDOUT", AGAIN),
            ("ENOTFOUND", AGAIN),
            ("ECONNRESET", AGAIN),
            ("EHOSTUNREACH", AGAIN),
            ("CERT_HAS_EXPIRED", Verdict::Final),
            ("ERR_WS_HANDSHAKE", Verdict::Final),
            ("ERR_INVALID_URL", Verdict::Final),
        ] {
            assert_eq!(failed(code), expected, "{code}");
        }
    }
}
