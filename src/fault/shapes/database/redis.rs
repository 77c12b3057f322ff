//! ioredis and node-redis.

use super::{Shape, answered, dead, ended, said, slow, slow_to_connect};
use crate::fault::shapes::{Case, Rule};
use crate::fault::{Delivery, Fault, Phase};

/// An answer that is an error: its first word is its code.
pub struct Answer;

impl Rule for Answer {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        // `ReplyError` is ioredis's; the classes are node-redis's, whose errors are all named `Error`.
        let is_reply = case.name() == Some("ReplyError")
            || matches!(case.link.class.as_deref(), Some("SimpleError" | "BlobError" | "ErrorReply"));
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

/// What node-redis finds itself.
pub struct NodeRedis;

impl Rule for NodeRedis {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        if case.code().is_some() {
            return None;
        }
        Some(match case.link.class.as_deref()? {
            "SocketClosedUnexpectedlyError" => ended(case),
            // Also one that the client closed itself: after a socket timeout it gives up.
            "ClientOfflineError" | "ClientClosedError" => dead(case),
            // `destroy()`: what was sent may have been done.
            "DisconnectsClientError" => gone(case),
            "SocketTimeoutError" | "SocketTimeoutDuringMaintenanceError" => slow(case),
            "ConnectionTimeoutError" => slow_to_connect(case),
            // Only what has not been written yet runs into it.
            "CommandTimeoutDuringMaintenanceError" => not_written(case),
            "TimeoutError" if case.name() == Some("Error") => not_written(case),
            _ => return None,
        })
    }
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
        for (class, code, delivery, transient) in [
            ("SocketClosedUnexpectedlyError", "ECONNRESET", Delivery::Unknown, true),
            ("ClientOfflineError", "ECONNRESET", Delivery::NotSent, true),
            ("ClientClosedError", "ECONNRESET", Delivery::NotSent, true),
            ("DisconnectsClientError", "ECONNRESET", Delivery::Unknown, true),
            ("SocketTimeoutError", "ETIMEDOUT", Delivery::Unknown, true),
            ("ConnectionTimeoutError", "ETIMEDOUT", Delivery::NotSent, true),
            ("CommandTimeoutDuringMaintenanceError", "ETIMEDOUT", Delivery::NotSent, true),
            ("TimeoutError", "ETIMEDOUT", Delivery::NotSent, true),
        ] {
            let fault = of("Error", class, "words");
            assert_eq!((&*fault.code, fault.delivery, fault.transient), (code, delivery, transient), "{class}");
        }
    }
}
