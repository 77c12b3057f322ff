//! ioredis and node-redis.

use super::{Shape, answered, dead, ended, exhausted, said, slow, slow_to_connect};
use crate::fault::shapes::{Case, Rule};
use crate::fault::{Delivery, Fault, Phase};

/// An answer that is an error: its first word is its code.
pub struct Answer;

impl Rule for Answer {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        // `ReplyError` is ioredis's; the classes are node-redis's. A class of that name which wraps another error is not.
        let is_reply = case.name() == Some("ReplyError")
            || is_plain(case)
                && case.inner.is_none()
                && matches!(case.link.class.as_deref(), Some("SimpleError" | "BlobError" | "ErrorReply"));
        if !is_reply {
            return None;
        }
        let word: String = case.message()?.chars().take_while(char::is_ascii_uppercase).take(32).collect();
        let word = if word.is_empty() { "ERR" } else { &word };
        Some(answered(case, format!("REDIS_{word}"), "The server refused the command; `detail` has its words."))
    }
}

/// What ioredis finds itself. It rejects all commands that it holds with the same error, whether they were sent or not.
pub struct Ioredis;

impl Rule for Ioredis {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        const MESSAGES: [(&str, Shape); 4] = [
            ("Connection is closed.", gone),
            // An `AbortError`, and none of the caller's.
            ("Command aborted due to connection close", gone),
            ("Command timed out", slow),
            ("Stream isn't writeable and enableOfflineQueue options is false", dead),
        ];
        if case.name() == Some("MaxRetriesPerRequestError") {
            return Some(gone(case));
        }
        if case.code().is_some() {
            return None;
        }
        said(case, &MESSAGES).map(|shape| shape(case))
    }
}

/// What node-redis finds itself. Its classes have names that others use as well, so its words are looked at too: of some of
/// these faults it is known that nothing was sent, and that must not be said of anybody else's.
pub struct NodeRedis;

impl Rule for NodeRedis {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        if !is_plain(case) {
            return None;
        }
        Some(match (case.link.class.as_deref()?, case.message()?) {
            ("SocketClosedUnexpectedlyError", "Socket closed unexpectedly") => ended(case),
            // Also one that the client closed itself: after a socket timeout it gives up.
            ("ClientOfflineError", "The client is offline") => dead(case),
            ("ClientClosedError", "The client is closed") => dead(case),
            // `destroy()`: what was sent may have been done.
            ("DisconnectsClientError", "Disconnects client") => gone(case),
            ("SocketTimeoutError" | "SocketTimeoutDuringMaintenanceError", words)
                if words.starts_with("Socket timeout") =>
            {
                slow(case)
            }
            ("ConnectionTimeoutError", "Connection timeout") => slow_to_connect(case),
            ("CommandTimeoutDuringMaintenanceError", words) if words.starts_with("Command timeout") => {
                not_written(case)
            }
            ("TimeoutError", words) if words.starts_with("Timeout waiting for a client") => exhausted(case),
            // Mostly of what was not written in time; but it says the same of what was written before the server moved away.
            ("TimeoutError", "") => slow(case),
            _ => return None,
        })
    }
}

/// All errors of node-redis are named `Error`, and none has a code.
fn is_plain(case: &Case<'_>) -> bool {
    case.name() == Some("Error") && case.code().is_none()
}

fn not_written(case: &Case<'_>) -> Fault {
    Fault { reconnect: false, ..case.fault("ETIMEDOUT", Phase::Send, Delivery::NotSent) }
}

fn gone(case: &Case<'_>) -> Fault {
    case.fault("ECONNRESET", Phase::Wait, Delivery::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::evidence::{Evidence, Link};
    use crate::fault::{Kind, classify};

    fn judge(link: Link) -> Fault {
        classify(&Evidence { links: vec![link], ..Evidence::default() })
    }

    fn of(name: &str, class: &str, message: &str) -> Fault {
        judge(Link {
            name: Some(name.into()),
            class: Some(class.into()),
            message: Some(message.into()),
            ..Link::default()
        })
    }

    #[test]
    fn an_answer_is_named_by_its_first_word() {
        for (message, code, kind, transient, reconnect) in [
            ("LOADING Redis is loading the dataset in memory", "REDIS_LOADING", Kind::Server, true, false),
            ("READONLY You can't write against a read only replica.", "REDIS_READONLY", Kind::Server, true, true),
            ("OOM command not allowed when used memory > 'maxmemory'.", "REDIS_OOM", Kind::Throttled, true, false),
            ("WRONGTYPE Operation against a key", "REDIS_WRONGTYPE", Kind::Client, false, false),
            ("ERR unknown command", "REDIS_ERR", Kind::Client, false, false),
            ("odd", "REDIS_ERR", Kind::Client, false, false),
        ] {
            for fault in [of("ReplyError", "ReplyError", message), of("Error", "SimpleError", message)] {
                assert_eq!((&*fault.code, fault.kind, fault.delivery), (code, kind, Delivery::Answered));
                assert_eq!((fault.transient, fault.reconnect), (transient, reconnect), "{message}");
            }
        }
    }

    #[test]
    fn what_ioredis_rejects_may_have_been_done() {
        for (name, message) in [
            ("Error", "Connection is closed."),
            ("MaxRetriesPerRequestError", "Reached the max retries per request limit (which is 20)."),
            ("AbortError", "Command aborted due to connection close"),
        ] {
            let fault = of(name, name, message);
            assert_eq!((&*fault.code, fault.delivery, fault.transient), ("ECONNRESET", Delivery::Unknown, true));
        }
        assert_eq!(of("Error", "Error", "Command timed out").kind, Kind::Timeout);
        let refused = of("Error", "Error", "Stream isn't writeable and enableOfflineQueue options is false");
        assert_eq!(refused.delivery, Delivery::NotSent);
    }

    #[test]
    fn node_redis_is_told_by_its_classes() {
        for (class, message, code, delivery) in [
            ("SocketClosedUnexpectedlyError", "Socket closed unexpectedly", "ECONNRESET", Delivery::Unknown),
            ("ClientOfflineError", "The client is offline", "ECONNRESET", Delivery::NotSent),
            ("ClientClosedError", "The client is closed", "ECONNRESET", Delivery::NotSent),
            ("DisconnectsClientError", "Disconnects client", "ECONNRESET", Delivery::Unknown),
            ("SocketTimeoutError", "Socket timeout timeout. Expecting data", "ETIMEDOUT", Delivery::Unknown),
            ("ConnectionTimeoutError", "Connection timeout", "ETIMEDOUT", Delivery::NotSent),
            ("CommandTimeoutDuringMaintenanceError", "Command timeout during", "ETIMEDOUT", Delivery::NotSent),
            ("TimeoutError", "Timeout waiting for a client after 9ms", "ETIMEDOUT", Delivery::NotSent),
            ("TimeoutError", "", "ETIMEDOUT", Delivery::Unknown),
        ] {
            let fault = of("Error", class, message);
            assert_eq!((&*fault.code, fault.delivery, fault.transient), (code, delivery, true), "{class}");
        }
    }

    #[test]
    fn a_class_of_the_same_name_is_not_of_node_redis() {
        for class in ["ClientClosedError", "ConnectionTimeoutError", "TimeoutError", "SocketTimeoutError"] {
            let fault = of("Error", class, "the charge was not confirmed in time");
            assert_eq!((fault.kind, fault.delivery), (Kind::Unknown, Delivery::Unknown), "{class}");
        }
        let wrapper = Link {
            name: Some("Error".into()),
            class: Some("SimpleError".into()),
            message: Some("it did not work".into()),
            ..Link::default()
        };
        let reset = Link { parent: Some(0), code: Some("ECONNRESET".into()), ..Link::default() };
        let fault = classify(&Evidence { links: vec![wrapper, reset], ..Evidence::default() });
        assert_eq!((fault.kind, fault.delivery), (Kind::Reset, Delivery::Unknown));
    }
}
