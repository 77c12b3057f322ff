//! The caller's own `lookup`, which runs on the JavaScript thread while a connection waits for its addresses.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use tokio::sync::oneshot;

use super::completion::{Completion, Kind, Value};
use super::engine::Core;
use crate::http::transport::lookup::{Addresses, Lookup, LookupFailed, LookupFuture};

/// What JavaScript answers.
pub enum Answer {
    /// IP addresses, one on each line.
    Addresses(String),
    /// JSON: see [`Failure`].
    Failed(String),
}

/// `lib/fetch/lookup.js` makes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure {
    code: String,
    errno: Option<i32>,
    syscall: String,
    /// A sentence, where the code does not say it all.
    reason: Option<String>,
    /// What the caller's error says.
    message: String,
}

/// The caller's error in its own words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Said(String);

pub struct JsLookup {
    core: Arc<Core>,
    /// The number under which JavaScript knows the function: see `lib/fetch/lookup.js`.
    function: u32,
}

impl JsLookup {
    pub fn new(core: Arc<Core>, function: u32) -> Self {
        JsLookup { core, function }
    }
}

impl Lookup for JsLookup {
    fn lookup<'a>(&'a self, host: &'a str) -> LookupFuture<'a> {
        Box::pin(async move {
            let Some(mut pending) = self.core.lookups().begin() else {
                return Err(LookupFailed::broken_off(host));
            };
            let mut question = Completion::new(Kind::Lookup, self.function);
            question.number = f64::from(pending.number);
            question.values[0] = Value::Utf8(host.to_owned());
            self.core.push(question);
            match (&mut pending.answer).await {
                Ok(Answer::Addresses(lines)) => addresses(host, &lines),
                Ok(Answer::Failed(json)) => Err(failed(host, &json)),
                // The environment has ended.
                Err(_) => Err(LookupFailed::broken_off(host)),
            }
        })
    }
}

/// JavaScript has checked that there are some and that each is an address; what it takes for one and this does not
/// would be a mistake of ours, and is named like a wrong answer.
fn addresses(host: &str, lines: &str) -> Addresses {
    let parsed: Result<Vec<IpAddr>, _> = lines.lines().map(str::parse).collect();
    match parsed {
        Ok(addresses) if !addresses.is_empty() => Ok(addresses.into()),
        _ => Err(LookupFailed::new(host, "ERR_INVALID_IP_ADDRESS")),
    }
}

fn failed(host: &str, json: &str) -> LookupFailed {
    match serde_json::from_str::<Failure>(json) {
        Ok(Failure { code, errno, syscall, reason, message }) => {
            let mut failed = LookupFailed::new(host, code).with_source(Said(message));
            failed.errno = errno;
            failed.syscall = syscall.into();
            failed.reason = reason.map(Into::into);
            failed
        }
        Err(error) => LookupFailed::new(host, "ERR_UNRESET_INTERNAL").with_source(error),
    }
}

/// The lookups that JavaScript was asked for and has not answered yet. Bounded by the connections that are being made.
#[derive(Default)]
pub struct Lookups {
    pending: Mutex<Pending>,
}

#[derive(Default)]
struct Pending {
    answers: HashMap<u32, oneshot::Sender<Answer>>,
    last: u32,
    /// The environment has ended: nobody will answer.
    closed: bool,
}

impl Lookups {
    /// `None`: nobody will answer any more.
    fn begin(&self) -> Option<PendingLookup<'_>> {
        let (sender, answer) = oneshot::channel();
        let mut pending = self.lock();
        if pending.closed {
            return None;
        }
        let mut number = pending.last.wrapping_add(1);
        while pending.answers.contains_key(&number) {
            number = number.wrapping_add(1);
        }
        pending.last = number;
        pending.answers.insert(number, sender);
        Some(PendingLookup { lookups: self, number, answer })
    }

    /// Nobody may want the answer any more; it comes late then.
    pub fn answer(&self, number: u32, answer: Answer) {
        let waiting = self.lock().answers.remove(&number);
        if let Some(waiting) = waiting {
            let _ = waiting.send(answer);
        }
    }

    /// Ends all of them. None begins after it.
    pub fn close(&self) {
        let mut pending = self.lock();
        pending.closed = true;
        // Each sender that goes wakes whoever waits for it.
        pending.answers.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        // Every change is whole before anything else can panic.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgotten when it is dropped: the connection is not wanted any more, or took too long.
struct PendingLookup<'a> {
    lookups: &'a Lookups,
    number: u32,
    answer: oneshot::Receiver<Answer>,
}

impl Drop for PendingLookup<'_> {
    fn drop(&mut self) {
        self.lookups.lock().answers.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(lookups: &Lookups) -> usize {
        lookups.lock().answers.len()
    }

    #[tokio::test]
    async fn each_lookup_has_its_own_answer_and_leaves_nothing_behind() {
        let lookups = Lookups::default();
        let (mut one, mut two) = (lookups.begin().unwrap(), lookups.begin().unwrap());
        lookups.answer(two.number, Answer::Addresses("::2".into()));
        lookups.answer(one.number, Answer::Addresses("::1".into()));
        lookups.answer(one.number, Answer::Addresses("late".into()));
        assert!(matches!((&mut one.answer).await, Ok(Answer::Addresses(lines)) if lines == "::1"));
        assert!(matches!((&mut two.answer).await, Ok(Answer::Addresses(lines)) if lines == "::2"));
        let given_up = lookups.begin().unwrap();
        assert_eq!(open(&lookups), 1);
        drop(given_up);
        assert_eq!(open(&lookups), 0);
    }

    #[tokio::test]
    async fn the_end_of_the_environment_ends_them() {
        let lookups = Lookups::default();
        let mut waiting = lookups.begin().unwrap();
        lookups.close();
        assert!((&mut waiting.answer).await.is_err());
        assert!(lookups.begin().is_none());
    }

    #[test]
    fn numbers_that_are_still_waited_for_are_passed_over_when_they_wrap() {
        let lookups = Lookups::default();
        let first = lookups.begin().unwrap();
        lookups.lock().last = first.number - 1;
        assert_eq!(lookups.begin().unwrap().number, first.number + 1);
        lookups.lock().last = u32::MAX;
        assert_eq!(lookups.begin().unwrap().number, 0);
    }

    #[test]
    fn addresses_are_one_on_each_line() {
        let read = |lines| addresses("a.test", lines).map(|addresses| addresses.to_vec());
        let both: Vec<IpAddr> = vec!["192.0.2.1".parse().unwrap(), "::1".parse().unwrap()];
        assert_eq!(read("192.0.2.1\n::1").unwrap(), both);
        for wrong in ["", "a.test", "192.0.2.1\nx"] {
            assert_eq!(read(wrong).unwrap_err().code, "ERR_INVALID_IP_ADDRESS", "{wrong:?}");
        }
    }

    #[test]
    fn a_failure_is_told_in_the_words_of_the_callers_error() {
        let json = r#"{"code":"ESERVFAIL","errno":-5,"syscall":"queryA","reason":"Why.","message":"queryA ESERVFAIL"}"#;
        let failed = failed("a.test", json);
        let told = std::error::Error::source(&failed).unwrap().to_string();
        assert_eq!(
            (&*failed.code, failed.errno, &*failed.syscall, &*told),
            ("ESERVFAIL", Some(-5), "queryA", "queryA ESERVFAIL")
        );
        assert_eq!(failed.reason.as_deref(), Some("Why."));
    }
}
