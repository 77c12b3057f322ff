//! pg (node-postgres) and its pool.

use super::{Shape, answered, closed, dead, ended, exhausted, said, slow, slow_to_connect};
use crate::fault::shapes::{Case, Rule};
use crate::fault::{Delivery, Fault};

/// An answer of the server: it has a severity, and its code is an SQLSTATE.
pub struct Answer;

impl Rule for Answer {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        case.link.severity.as_deref()?;
        let state = case.code().filter(|code| is_sqlstate(code))?;
        Some(answered(case, state.to_owned(), "The server refused the statement; `detail` has its words."))
    }
}

fn is_sqlstate(code: &str) -> bool {
    code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// What the driver and the pool find themselves. They are plain errors, without a code.
pub struct Driver;

impl Rule for Driver {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        const MESSAGES: [(&str, Shape); 9] = [
            ("Connection terminated unexpectedly", ended),
            ("Connection terminated", ended),
            ("Client has encountered a connection error and is not queryable", dead),
            ("Client was closed and is not queryable", dead),
            ("Query read timeout", slow),
            // Words that anybody might say: by themselves they do not prove that nothing was sent.
            ("timeout expired", expired),
            ("Connection terminated due to connection timeout", slow_to_connect),
            ("timeout exceeded when trying to connect", exhausted),
            ("Cannot use a pool after calling end on the pool", closed),
        ];
        if case.code().is_some() {
            return None;
        }
        said(case, &MESSAGES).map(|shape| shape(case))
    }
}

fn expired(case: &Case<'_>) -> Fault {
    Fault { delivery: Delivery::Unknown, ..slow_to_connect(case) }
}

#[cfg(test)]
mod tests {
    use crate::fault::evidence::{Evidence, Link};
    use crate::fault::{Delivery, Ending, Fault, Kind, Phase, classify};

    fn answer(state: &str, severity: &str) -> Fault {
        let link = Link {
            code: Some(state.into()),
            severity: Some(severity.into()),
            message: Some("words".into()),
            ..Link::default()
        };
        classify(&Evidence { links: vec![link], ..Evidence::default() })
    }

    fn driver(message: &str) -> Fault {
        let link = Link { message: Some(message.into()), ..Link::default() };
        classify(&Evidence { links: vec![link], ..Evidence::default() })
    }

    #[test]
    fn a_state_says_whether_the_statement_can_have_run_and_whether_it_may_succeed_later() {
        for (state, kind, phase, delivery, transient, reconnect) in [
            ("57P01", Kind::Server, Phase::Wait, Delivery::Unknown, true, true),
            ("57P02", Kind::Server, Phase::Wait, Delivery::Unknown, true, true),
            ("57P03", Kind::Server, Phase::Connect, Delivery::NotSent, true, true),
            ("53300", Kind::Throttled, Phase::Connect, Delivery::NotSent, true, false),
            ("25006", Kind::Server, Phase::Receive, Delivery::Answered, true, true),
            ("40001", Kind::Server, Phase::Receive, Delivery::Answered, true, false),
            ("40P01", Kind::Server, Phase::Receive, Delivery::Answered, true, false),
            ("40003", Kind::Server, Phase::Wait, Delivery::Unknown, true, true),
            ("08006", Kind::Server, Phase::Wait, Delivery::Unknown, true, true),
            ("08007", Kind::Server, Phase::Wait, Delivery::Unknown, true, true),
            ("08P01", Kind::Server, Phase::Wait, Delivery::Unknown, true, true),
            ("23505", Kind::Client, Phase::Receive, Delivery::Answered, false, false),
            ("42601", Kind::Client, Phase::Receive, Delivery::Answered, false, false),
        ] {
            let fault = answer(state, "ERROR");
            assert_eq!((&*fault.code, fault.kind, fault.phase), (state, kind, phase));
            assert_eq!((fault.delivery, fault.transient, fault.reconnect), (delivery, transient, reconnect), "{state}");
            assert_eq!(fault.detail.as_deref(), Some("words"));
        }
    }

    #[test]
    fn five_characters_are_a_state_only_with_a_severity() {
        let link = Link { code: Some("EPIPE".into()), ..Link::default() };
        let fault = classify(&Evidence { links: vec![link], ..Evidence::default() });
        assert_eq!(fault.kind, Kind::Reset);
    }

    #[test]
    fn what_the_driver_finds_is_told_by_its_words() {
        for (message, code, phase, delivery) in [
            ("Connection terminated unexpectedly", "ECONNRESET", Phase::Wait, Delivery::Unknown),
            ("Client was closed and is not queryable", "ECONNRESET", Phase::Send, Delivery::NotSent),
            ("Query read timeout", "ETIMEDOUT", Phase::Wait, Delivery::Unknown),
            ("timeout expired", "ETIMEDOUT", Phase::Connect, Delivery::Unknown),
            ("timeout exceeded when trying to connect", "ETIMEDOUT", Phase::Connect, Delivery::NotSent),
            ("Cannot use a pool after calling end on the pool", "ERR_CLIENT_CLOSED", Phase::Send, Delivery::NotSent),
        ] {
            let fault = driver(message);
            assert_eq!((&*fault.code, fault.phase, fault.delivery), (code, phase, delivery), "{message}");
        }
        assert_eq!(driver("Connection terminated unexpectedly").ending, Some(Ending::Fin));
        assert!(!driver("Cannot use a pool after calling end on the pool").transient);
        assert_eq!(driver("Connection terminated, perhaps").kind, Kind::Unknown);
    }

    #[test]
    fn a_limit_on_connecting_is_placed_there_though_its_cause_is_an_end() {
        let outer = Link { message: Some("Connection terminated due to connection timeout".into()), ..Link::default() };
        let cause =
            Link { parent: Some(0), message: Some("Connection terminated unexpectedly".into()), ..Link::default() };
        let fault = classify(&Evidence { links: vec![outer, cause], ..Evidence::default() });
        assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ETIMEDOUT", Phase::Connect, Delivery::NotSent));
    }
}
