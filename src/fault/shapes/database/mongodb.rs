//! The MongoDB driver, and mongoose, which carries a driver of its own: told by name, never by class.
//!
//! The driver repeats reads and single writes itself, and what it throws in the end may be the failure of the second try to
//! find a server, while the first one had reached one (`executeOperationWithRetries`). So a failure to find a server or a
//! connection does not prove that nothing was sent. Only the label `NoWritesPerformed` does.

use super::{answered, closed, ended, slow};
use crate::fault::shapes::{Case, Rule};
use crate::fault::{Delivery, Fault, Kind, Phase};

/// What the driver finds itself.
pub struct Driver;

impl Rule for Driver {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let fault = match case.name()? {
            "MongoServerSelectionError" | "MongooseServerSelectionError" => unreachable(case),
            "MongoNetworkTimeoutError" | "MongoOperationTimeoutError" => slow(case),
            "MongoNetworkError" | "MongoPoolClearedError" | "PoolClearedOnNetworkError" => broken(case),
            "MongoWaitQueueTimeoutError" => {
                Fault { reconnect: false, ..case.fault("ETIMEDOUT", Phase::Connect, Delivery::Unknown) }
                    .with_reason("All connections of the driver's pool were in use, and none came free in time.")
            }
            "MongoTopologyClosedError" | "MongoPoolClosedError" | "MongoClientClosedError" => {
                Fault { delivery: Delivery::Unknown, ..closed(case) }
            }
            "MongoNotConnectedError" => closed(case),
            "MongooseError" if case.message().is_some_and(|message| message.contains("buffering timed out after")) => {
                case.fault("ETIMEDOUT", Phase::Connect, Delivery::NotSent)
                    .with_reason("mongoose had no connection within bufferTimeoutMS: the operation was never sent.")
            }
            _ => return None,
        };
        Some(labelled(case, fault))
    }
}

/// An answer of the server: its number is its code.
pub struct Answer;

impl Rule for Answer {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        const NAMES: [&str; 4] =
            ["MongoServerError", "MongoWriteConcernError", "MongoBulkWriteError", "MongoClientBulkWriteError"];
        let name = case.name().filter(|name| NAMES.contains(name))?;
        // A bulk write that broke off carries what broke it.
        if let Some(inner) =
            case.inner.clone().filter(|inner| inner.kind != Kind::Unknown && case.link.number.is_none())
        {
            return Some(Fault { delivery: Delivery::Unknown, ..inner });
        }
        let number = case.link.number?;
        let mut fault =
            answered(case, format!("MONGO_{number}"), "The server refused the operation; `detail` has its words.");
        if name == "MongoWriteConcernError" {
            // The write was done, and not confirmed by as many servers as were asked for.
            fault.delivery = Delivery::Unknown;
        }
        if has(case, "RetryableWriteError") || has(case, "TransientTransactionError") || has(case, "RetryableError") {
            fault.kind = if fault.kind == Kind::Client { Kind::Server } else { fault.kind };
            fault.transient = true;
        }
        Some(labelled(case, fault))
    }
}

/// No server could be found. What each of them failed with is the cause.
fn unreachable(case: &Case<'_>) -> Fault {
    match &case.inner {
        Some(inner) => case.described(Fault { phase: Phase::Connect, delivery: Delivery::Unknown, ..inner.clone() }),
        None => case.fault("ETIMEDOUT", Phase::Connect, Delivery::Unknown),
    }
}

fn broken(case: &Case<'_>) -> Fault {
    match &case.inner {
        Some(inner) => case.described(Fault { delivery: Delivery::Unknown, ..inner.clone() }),
        // "connection 3 to 127.0.0.1:27017 closed"
        None => ended(case),
    }
}

fn labelled(case: &Case<'_>, fault: Fault) -> Fault {
    if has(case, "NoWritesPerformed") { Fault { delivery: Delivery::NotSent, ..fault } } else { fault }
}

fn has(case: &Case<'_>, label: &str) -> bool {
    case.link.labels.iter().any(|found| found == label)
}

#[cfg(test)]
mod tests {
    use crate::fault::evidence::{Evidence, Link};
    use crate::fault::{Delivery, Ending, Fault, Kind, Phase, classify};

    fn named(name: &str, message: &str) -> Link {
        Link { name: Some(name.into()), message: Some(message.into()), ..Link::default() }
    }

    fn judge(links: Vec<Link>) -> Fault {
        classify(&Evidence { links, ..Evidence::default() })
    }

    fn reset() -> Link {
        Link { parent: Some(0), code: Some("ECONNRESET".into()), syscall: Some("read".into()), ..Link::default() }
    }

    #[test]
    fn a_network_error_is_what_its_cause_is_and_never_proves_that_nothing_was_sent() {
        let fault = judge(vec![named("MongoNetworkError", "read ECONNRESET"), reset()]);
        assert_eq!((&*fault.code, fault.ending, fault.delivery), ("ECONNRESET", Some(Ending::Rst), Delivery::Unknown));
        let closed = judge(vec![named("MongoNetworkError", "connection 3 to 127.0.0.1:27017 closed")]);
        assert_eq!((&*closed.code, closed.ending), ("ECONNRESET", Some(Ending::Fin)));
        let refused = Link { syscall: Some("connect".into()), code: Some("ECONNREFUSED".into()), ..reset() };
        let fault = judge(vec![named("MongoNetworkError", ""), refused.clone()]);
        assert_eq!((&*fault.code, fault.delivery), ("ECONNREFUSED", Delivery::Unknown));
        let fault = judge(vec![named("MongoServerSelectionError", ""), refused]);
        assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ECONNREFUSED", Phase::Connect, Delivery::Unknown));
        assert!(fault.transient);
    }

    #[test]
    fn timeouts() {
        for (name, phase) in [
            ("MongooseServerSelectionError", Phase::Connect),
            ("MongoNetworkTimeoutError", Phase::Wait),
            ("MongoOperationTimeoutError", Phase::Wait),
            ("MongoWaitQueueTimeoutError", Phase::Connect),
        ] {
            let fault = judge(vec![named(name, "")]);
            assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ETIMEDOUT", phase, Delivery::Unknown), "{name}");
        }
        let buffered = judge(vec![named("MongooseError", "Operation `a.insertOne()` buffering timed out after 9ms")]);
        assert_eq!((&*buffered.code, buffered.delivery), ("ETIMEDOUT", Delivery::NotSent));
        assert_eq!(judge(vec![named("MongooseError", "odd")]).kind, Kind::Unknown);
    }

    #[test]
    fn an_answer_is_named_by_its_number() {
        let answer = |number, labels: &[&str]| {
            let labels = labels.iter().map(|label| (*label).to_owned()).collect();
            judge(vec![Link { number: Some(number), labels, ..named("MongoServerError", "words") }])
        };
        let duplicate = answer(11000, &[]);
        assert_eq!((&*duplicate.code, duplicate.kind, duplicate.transient), ("MONGO_11000", Kind::Client, false));
        assert_eq!((duplicate.phase, duplicate.delivery), (Phase::Receive, Delivery::Answered));
        let elected = answer(10107, &[]);
        assert_eq!((elected.kind, elected.transient, elected.reconnect), (Kind::Server, true, true));
        assert!(answer(112, &["TransientTransactionError"]).transient);
        assert_eq!(answer(91, &["NoWritesPerformed"]).delivery, Delivery::NotSent);
    }

    #[test]
    fn a_bulk_write_that_broke_off_is_what_broke_it() {
        let network = Link { parent: Some(0), ..named("MongoNetworkError", "connection 1 closed") };
        let fault = judge(vec![named("MongoBulkWriteError", ""), network]);
        assert_eq!((&*fault.code, fault.delivery), ("ECONNRESET", Delivery::Unknown));
    }

    #[test]
    fn what_the_program_closed_is_not_transient() {
        for name in ["MongoTopologyClosedError", "MongoClientClosedError", "MongoNotConnectedError"] {
            let fault = judge(vec![named(name, "")]);
            assert_eq!((fault.kind, fault.transient), (Kind::Closed, false), "{name}");
        }
    }
}
