//! gRPC: a number beside `details` and `metadata`. The statuses are those of the gRPC specification.

use super::{Case, Rule};
use crate::fault::{Delivery, Fault};

/// The status of a call.
pub struct Status;

/// By number, from 1.
const NAMES: [&str; 16] = [
    "GRPC_CANCELLED",
    "GRPC_UNKNOWN",
    "GRPC_INVALID_ARGUMENT",
    "GRPC_DEADLINE_EXCEEDED",
    "GRPC_NOT_FOUND",
    "GRPC_ALREADY_EXISTS",
    "GRPC_PERMISSION_DENIED",
    "GRPC_RESOURCE_EXHAUSTED",
    "GRPC_FAILED_PRECONDITION",
    "GRPC_ABORTED",
    "GRPC_OUT_OF_RANGE",
    "GRPC_UNIMPLEMENTED",
    "GRPC_INTERNAL",
    "GRPC_UNAVAILABLE",
    "GRPC_DATA_LOSS",
    "GRPC_UNAUTHENTICATED",
];

impl Rule for Status {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        if !case.link.is_grpc {
            return None;
        }
        let number = usize::try_from(case.link.number?).ok()?;
        let name = NAMES.get(number.checked_sub(1)?)?;
        let fault = case.described(Fault::of_code(*name));
        // The client's own library makes statuses, too, and nothing tells them from a server's: only a status that the
        // library never makes is an answer, and the catalogue knows which.
        Some(if case.signal_aborted && number == 1 {
            case.fault("ABORT_ERR", fault.phase, Delivery::Unknown)
        } else {
            fault
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::evidence::{Evidence, Link};
    use crate::fault::{Kind, classify};

    fn judge(number: i32, is_grpc: bool) -> Fault {
        let link = Link { number: Some(number), is_grpc, message: Some("words".into()), ..Link::default() };
        classify(&Evidence { links: vec![link], ..Evidence::default() })
    }

    #[test]
    fn a_status_is_named_and_judged() {
        for (number, code, kind, delivery, transient) in [
            (1, "ABORT_ERR", Kind::Aborted, Delivery::Unknown, false),
            (3, "GRPC_INVALID_ARGUMENT", Kind::Client, Delivery::Answered, false),
            (4, "ETIMEDOUT", Kind::Timeout, Delivery::Unknown, true),
            (8, "GRPC_RESOURCE_EXHAUSTED", Kind::Throttled, Delivery::Unknown, true),
            (10, "GRPC_ABORTED", Kind::Server, Delivery::Answered, true),
            (13, "GRPC_INTERNAL", Kind::Server, Delivery::Unknown, false),
            (14, "GRPC_UNAVAILABLE", Kind::Server, Delivery::Unknown, true),
            (16, "GRPC_UNAUTHENTICATED", Kind::Client, Delivery::Answered, false),
        ] {
            let fault = judge(number, true);
            assert_eq!((&*fault.code, fault.kind, fault.delivery), (code, kind, delivery), "{number}");
            assert_eq!(fault.transient, transient, "{number}");
        }
    }

    #[test]
    fn other_numbers_are_none() {
        for number in [-1, 0, 17, i32::MIN, i32::MAX] {
            assert_eq!(judge(number, true).kind, Kind::Unknown, "{number}");
        }
        assert_eq!(judge(14, false).kind, Kind::Unknown);
    }
}
