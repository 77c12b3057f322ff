//! What the end of an attempt says of the server: is it there?
//!
//! That is another question than whether the call is worth repeating. A 429 is, and comes from a server that is well
//! enough to say so; the breaker must not take its word for its death.

use super::Outcome;
use super::permission::status;
use crate::fault::{Fault, Kind};

/// The code of a fault that stands for an attempt that was not made.
pub const BREAKER_OPEN: &str = "ERR_BREAKER_OPEN";

/// Of an attempt that ended with `fault`.
pub(super) fn of_fault(fault: &Fault) -> Outcome {
    if let Some(status) = status(fault) {
        return of_answer(Some(status));
    }
    // A caller who ended it, or this computer that has no file handle left, knows nothing of the server; nor does a
    // breaker below this one that refused the attempt.
    let is_ours = matches!(fault.kind, Kind::Aborted | Kind::Client) || fault.code == BREAKER_OPEN;
    if fault.transient && !is_ours { Outcome::Failed } else { Outcome::Neither }
}

/// Of an attempt that was answered, with a status where there is one. Any answer counts but one by which a server, or a
/// proxy before it, says that it fails for now.
pub(super) fn of_answer(status: Option<u16>) -> Outcome {
    let fails = status.is_some_and(|status| status >= 500 && Fault::from_status(status, None).transient);
    if fails { Outcome::Failed } else { Outcome::Answered }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Delivery, Phase};

    fn of(code: &'static str) -> Outcome {
        of_fault(&Fault::new(code, Phase::Wait, Delivery::Unknown))
    }

    #[test]
    fn a_transient_fault_is_a_failure() {
        for code in ["ECONNRESET", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN", "ENETUNREACH", "UND_ERR_SOCKET"] {
            assert_eq!(of(code), Outcome::Failed, "{code}");
        }
    }

    #[test]
    fn what_the_caller_or_this_computer_did_says_nothing() {
        let codes =
            ["ABORT_ERR", "ERR_INVALID_URL", "EMFILE", "CERT_HAS_EXPIRED", "ERR_UNRESET_INTERNAL", BREAKER_OPEN];
        for code in codes {
            assert_eq!(of(code), Outcome::Neither, "{code}");
        }
    }

    #[test]
    fn an_answer_is_one_unless_it_says_that_the_server_fails() {
        for (status, outcome) in [
            (200, Outcome::Answered),
            (404, Outcome::Answered),
            (408, Outcome::Answered),
            (421, Outcome::Answered),
            (425, Outcome::Answered),
            (429, Outcome::Answered),
            (500, Outcome::Failed),
            (501, Outcome::Answered),
            (503, Outcome::Failed),
            (504, Outcome::Failed),
            (522, Outcome::Failed),
        ] {
            assert_eq!(of_answer(Some(status)), outcome, "{status}");
            assert_eq!(of_fault(&Fault::from_status(status, None)), outcome, "{status}");
        }
        assert_eq!(of_answer(None), Outcome::Answered);
    }

    /// A connection that broke inside a 404 did break.
    #[test]
    fn the_status_of_an_answer_that_broke_off_does_not_count() {
        let mut broken = Fault::new("ECONNRESET", Phase::Receive, Delivery::Answered);
        broken.status = Some(404);
        assert_eq!(of_fault(&broken), Outcome::Failed);
    }
}
