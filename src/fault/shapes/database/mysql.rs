//! mysql2, against MySQL and MariaDB.

use super::{Shape, answered, closed, dead, ended, exhausted, said, slow};
use crate::fault::catalogue::find;
use crate::fault::shapes::{Case, Rule};
use crate::fault::{Delivery, Fault, Phase};

/// An answer of the server: it has an SQLSTATE, and its code is mysql2's name for the server's number.
pub struct Answer;

impl Rule for Answer {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let state = case.link.sql_state.as_deref()?;
        // Class 08 is a connection that failed. MariaDB's own connector says it of what it finds itself: no answer.
        if state.starts_with("08") && case.code().is_none_or(|code| find(code).is_none()) {
            return None;
        }
        // A number that mysql2 has no name for.
        let code = case.code().unwrap_or("ER_UNKNOWN_ERROR");
        let fault = answered(case, code.to_owned(), "The server refused the statement; `detail` has its words.");
        // It is the server's number and not the system's.
        Some(Fault { errno: None, ..fault })
    }
}

/// What the driver and the pool find themselves.
pub struct Driver;

impl Rule for Driver {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        const MESSAGES: [(&str, Shape); 5] = [
            ("Can't add new command when connection is in closed state", dead),
            ("Can't write in closed state", cut),
            ("No connections available.", exhausted),
            ("Queue limit reached.", exhausted),
            ("Pool is closed.", closed),
        ];
        match case.code() {
            Some("PROTOCOL_CONNECTION_LOST") => Some(ended(case)),
            Some("PROTOCOL_SEQUENCE_TIMEOUT") => Some(slow(case)),
            Some(_) => None,
            None => said(case, &MESSAGES).map(|shape| shape(case)),
        }
    }
}

/// Of a command of several packets, the first of which may have left.
fn cut(case: &Case<'_>) -> Fault {
    case.fault("ECONNRESET", Phase::Send, Delivery::Unknown)
}

#[cfg(test)]
mod tests {
    use crate::fault::evidence::{Evidence, Link};
    use crate::fault::{Delivery, Fault, Kind, Phase, classify};

    fn judge(link: Link) -> Fault {
        classify(&Evidence { links: vec![link], ..Evidence::default() })
    }

    fn answer(code: &str) -> Fault {
        judge(Link { code: Some(code.into()), errno: Some(1213), sql_state: Some("40001".into()), ..Link::default() })
    }

    #[test]
    fn a_code_says_whether_the_statement_can_have_run_and_whether_it_may_succeed_later() {
        for (code, kind, delivery, transient, reconnect) in [
            ("ER_LOCK_DEADLOCK", Kind::Server, Delivery::Answered, true, false),
            ("ER_LOCK_WAIT_TIMEOUT", Kind::Server, Delivery::Answered, true, false),
            ("ER_CON_COUNT_ERROR", Kind::Throttled, Delivery::NotSent, true, false),
            ("ER_OPTION_PREVENTS_STATEMENT", Kind::Server, Delivery::Answered, true, true),
            ("ER_SERVER_SHUTDOWN", Kind::Server, Delivery::Unknown, true, true),
            ("ER_DUP_ENTRY", Kind::Client, Delivery::Answered, false, false),
        ] {
            let fault = answer(code);
            assert_eq!((&*fault.code, fault.kind, fault.delivery), (code, kind, delivery));
            assert_eq!((fault.transient, fault.reconnect, fault.errno), (transient, reconnect, None), "{code}");
        }
        assert_eq!(&*judge(Link { sql_state: Some(String::new()), ..Link::default() }).code, "ER_UNKNOWN_ERROR");
    }

    #[test]
    fn a_connection_that_failed_is_no_answer() {
        let lost = |code: &str| {
            let link = Link { code: Some(code.into()), sql_state: Some("08S01".into()), ..Link::default() };
            let cause = Link { parent: Some(0), code: Some("ECONNRESET".into()), ..Link::default() };
            classify(&Evidence { links: vec![link, cause], ..Evidence::default() })
        };
        let fault = lost("ER_SOCKET_UNEXPECTED_CLOSE");
        assert_eq!((fault.kind, fault.delivery, fault.transient), (Kind::Reset, Delivery::Unknown, true));
        assert_eq!(lost("ER_CON_COUNT_ERROR").kind, Kind::Throttled);
    }

    #[test]
    fn what_the_driver_finds() {
        let coded = |code: &str| judge(Link { code: Some(code.into()), ..Link::default() });
        let lost = coded("PROTOCOL_CONNECTION_LOST");
        assert_eq!((&*lost.code, lost.kind, lost.delivery), ("ECONNRESET", Kind::Reset, Delivery::Unknown));
        let late = coded("PROTOCOL_SEQUENCE_TIMEOUT");
        assert_eq!((&*late.code, late.phase, late.delivery), ("ETIMEDOUT", Phase::Wait, Delivery::Unknown));
        let said = |message: &str| judge(Link { message: Some(message.into()), ..Link::default() });
        let dead = said("Can't add new command when connection is in closed state");
        assert_eq!((&*dead.code, dead.delivery, dead.transient), ("ECONNRESET", Delivery::NotSent, true));
        assert_eq!(said("Can't write in closed state").delivery, Delivery::Unknown);
        assert_eq!(&*said("No connections available.").code, "ETIMEDOUT");
        assert_eq!(said("Pool is closed.").kind, Kind::Closed);
    }
}
