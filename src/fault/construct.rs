//! How a fault is made: from a code, a status, or an error of the operating system.

use std::borrow::Cow;
use std::io;

use super::{Delivery, Ending, Fault, Kind, Phase, RetryAfter, catalogue, errno};

impl Fault {
    /// A fault with everything that the catalogue knows about `code`. A code that only renames another one
    /// (`UND_ERR_HEADERS_TIMEOUT` is an `ETIMEDOUT`) becomes that other one and keeps its own reason.
    /// A code that is not in the catalogue is `Kind::Unknown` and not transient.
    pub fn new(code: impl Into<Cow<'static, str>>, phase: Phase, delivery: Delivery) -> Self {
        let code = code.into();
        let Some(entry) = catalogue::find(&code) else {
            return Self::bare(code, Kind::Unknown, phase, delivery).with_reason(catalogue::UNKNOWN.meaning);
        };
        let code = match entry.becomes {
            Some(canonical) => Cow::Borrowed(canonical),
            None => code,
        };
        let fault = Self {
            transient: entry.transient,
            reconnect: entry.reconnect,
            ..Self::bare(code, entry.kind, phase, delivery).with_reason(entry.meaning)
        };
        fault.told_in_phase()
    }

    /// Tells the reason more exactly where the phase allows it. A reason that somebody has set stays.
    pub(super) fn told_in_phase(self) -> Self {
        let is_general = catalogue::find(&self.code).is_some_and(|entry| self.reason == entry.meaning);
        match catalogue::meaning_in_phase(&self.code, self.phase).filter(|_| is_general) {
            Some(exact) => self.with_reason(exact),
            None => self,
        }
    }

    /// A fault of a code with the phase and delivery that hold for it when nothing else tells.
    pub fn of_code(code: impl Into<Cow<'static, str>>) -> Self {
        let code = code.into();
        let (phase, delivery) = match catalogue::find(&code) {
            Some(entry) => (entry.phase, entry.delivery),
            None => (Phase::Wait, Delivery::Unknown),
        };
        Self::new(code, phase, delivery)
    }

    /// The fault that an HTTP status stands for: `HTTP_503` and so on. A response began, so its delivery is
    /// `answered`. A status below 400 is not a failure: `Kind::Unknown`, not transient.
    pub fn from_status(status: u16, retry_after: Option<RetryAfter>) -> Self {
        let mut fault = Self::new(format!("HTTP_{status}"), Phase::Receive, Delivery::Answered);
        if status == 503 && retry_after.is_some() {
            fault.kind = Kind::Throttled;
            fault.reason = Cow::Borrowed("The server is overloaded and says when to come back (503 with Retry-After).");
        }
        fault.status = Some(status);
        fault.retry_after = retry_after;
        fault
    }

    /// The fault that an I/O error stands for. `UnexpectedEof` is the peer's FIN in the middle of a call.
    pub fn from_io(error: &io::Error, phase: Phase, delivery: Delivery) -> Self {
        let code =
            error.raw_os_error().and_then(errno::name_of_os_error).or_else(|| errno::name_of_io_kind(error.kind()));
        let mut fault = Self::new(code.unwrap_or("UNKNOWN"), phase, delivery).with_detail(error.to_string());
        fault.errno = errno::node_errno(&fault.code).filter(|_| error.raw_os_error().is_some());
        fault.ending = match error.kind() {
            io::ErrorKind::UnexpectedEof => Some(Ending::Fin),
            io::ErrorKind::ConnectionReset => Some(Ending::Rst),
            _ => None,
        };
        fault
    }

    pub fn with_ending(mut self, ending: Ending) -> Self {
        self.ending = Some(ending);
        self
    }

    pub fn with_syscall(mut self, syscall: impl Into<Cow<'static, str>>) -> Self {
        self.syscall = Some(syscall.into());
        self
    }

    pub fn with_address(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub fn with_reason(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.reason = reason.into();
        self
    }

    /// One with something in every field, for tests of what has to carry a fault whole.
    #[cfg(test)]
    pub(super) fn with_every_field() -> Self {
        Self {
            code: Cow::Borrowed("ECONNRESET"),
            kind: Kind::Reset,
            phase: Phase::Receive,
            delivery: Delivery::Answered,
            // Neither is what the catalogue says of the code.
            transient: false,
            reconnect: false,
            reason: Cow::Borrowed("A reason of its own."),
            ending: Some(Ending::Rst),
            errno: Some(-104),
            syscall: Some(Cow::Borrowed("read")),
            address: Some("127.0.0.1".into()),
            port: Some(80),
            status: Some(200),
            retry_after: Some(RetryAfter::Delay(std::time::Duration::from_millis(2_500))),
            detail: Some("\"word\" for\nword".into()),
        }
    }

    fn bare(code: Cow<'static, str>, kind: Kind, phase: Phase, delivery: Delivery) -> Self {
        Self {
            code,
            kind,
            phase,
            delivery,
            transient: false,
            reconnect: false,
            reason: Cow::Borrowed(""),
            ending: None,
            errno: None,
            syscall: None,
            address: None,
            port: None,
            status: None,
            retry_after: None,
            detail: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_known_code_brings_its_catalogue_entry() {
        let fault = Fault::new("ECONNREFUSED", Phase::Connect, Delivery::NotSent);
        assert_eq!((fault.kind, fault.transient, fault.reconnect), (Kind::Refused, true, true));
        assert!(fault.reason.contains("listens"), "{}", fault.reason);
    }

    #[test]
    fn a_renamed_code_becomes_the_canonical_one_and_keeps_its_reason() {
        let fault = Fault::new("UND_ERR_HEADERS_TIMEOUT", Phase::Wait, Delivery::Unknown);
        assert_eq!((&*fault.code, fault.kind), ("ETIMEDOUT", Kind::Timeout));
        assert_ne!(fault.reason, Fault::of_code("ETIMEDOUT").reason);
    }

    #[test]
    fn an_unknown_code_promises_nothing() {
        let fault = Fault::new("E_MADE_UP", Phase::Wait, Delivery::Unknown);
        assert_eq!((&*fault.code, fault.kind, fault.transient), ("E_MADE_UP", Kind::Unknown, false));
        assert!(!fault.reason.is_empty());
    }

    #[test]
    fn statuses_fall_into_their_kinds() {
        let kind = |status| Fault::from_status(status, None).kind;
        assert_eq!(kind(429), Kind::Throttled);
        assert_eq!(kind(503), Kind::Server);
        assert_eq!(kind(408), Kind::Timeout);
        assert_eq!(kind(404), Kind::Client);
        assert_eq!(kind(413), Kind::TooLarge);
        assert_eq!(kind(599), Kind::Server);
        assert_eq!(kind(200), Kind::Unknown);
        let later = Fault::from_status(503, Some(RetryAfter::Delay(Duration::from_secs(2))));
        assert_eq!((later.kind, later.status, &*later.code), (Kind::Throttled, Some(503), "HTTP_503"));
        assert_eq!((later.phase, later.delivery), (Phase::Receive, Delivery::Answered));
    }

    #[test]
    fn transient_statuses_are_those_that_a_later_try_may_change() {
        let transient: Vec<u16> = (100..600).filter(|status| Fault::from_status(*status, None).transient).collect();
        assert_eq!(transient, [408, 421, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529, 530]);
    }

    #[test]
    fn io_errors_are_named_by_number_first_and_by_kind_otherwise() {
        #[cfg(target_os = "linux")]
        {
            let fault = Fault::from_io(&io::Error::from_raw_os_error(104), Phase::Wait, Delivery::Unknown);
            assert_eq!((&*fault.code, fault.errno, fault.ending), ("ECONNRESET", Some(-104), Some(Ending::Rst)));
        }
        let fault = Fault::from_io(&io::ErrorKind::UnexpectedEof.into(), Phase::Receive, Delivery::Answered);
        assert_eq!((&*fault.code, fault.ending, fault.errno), ("ECONNRESET", Some(Ending::Fin), None));
        let fault = Fault::from_io(&io::ErrorKind::TimedOut.into(), Phase::Connect, Delivery::NotSent);
        assert_eq!((&*fault.code, fault.kind), ("ETIMEDOUT", Kind::Timeout));
        let fault = Fault::from_io(&io::Error::other("odd"), Phase::Wait, Delivery::Unknown);
        assert_eq!((&*fault.code, fault.kind, fault.detail.as_deref()), ("UNKNOWN", Kind::Unknown, Some("odd")));
    }
}
