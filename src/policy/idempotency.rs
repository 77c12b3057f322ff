//! May this request be repeated although the server may have acted on it?
//!
//! This is the rule that keeps a retry from charging a card twice. It looks at what the request promises
//! (its method, its `Idempotency-Key`, the caller's own word), never at how the attempt failed; what the
//! failure proves (nothing was sent, nothing was processed) is asked before it, in `permission`.

use super::{Options, Why};

/// What of a request decides whether it may be repeated.
#[derive(Debug, Clone, Copy)]
pub struct Repeatable<'a> {
    pub method: &'a str,
    /// The request carries an `Idempotency-Key` header.
    pub idempotency_key: bool,
    /// The caller's own word, which goes before the method and the key: `retry(fn)` declares `fn` repeatable,
    /// `{ idempotent: false }` the opposite.
    pub declared: Option<bool>,
    /// The body can be sent from its beginning once more (there is none, it is bytes, or nothing of it was taken).
    pub body_replays: bool,
}

/// The methods whose requests may be repeated, where the caller lists them. The list replaces the default one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodSet(Box<[Box<str>]>);

impl MethodSet {
    /// ASCII case is ignored: clients disagree on whether `patch` is sent as `PATCH`.
    pub fn contains(&self, method: &str) -> bool {
        self.0.iter().any(|listed| listed.eq_ignore_ascii_case(method))
    }
}

impl<S: Into<Box<str>>> FromIterator<S> for MethodSet {
    fn from_iter<I: IntoIterator<Item = S>>(methods: I) -> Self {
        Self(methods.into_iter().map(Into::into).collect())
    }
}

impl Repeatable<'_> {
    /// Could an attempt that sent some of the request be followed by another one? Asked before the first attempt,
    /// because then the body is worth keeping. A `shouldRetry` hook may allow it as well.
    pub fn may_follow_a_sent_one(&self, options: &Options) -> bool {
        // 425 (Too Early) comes after the body and allows any request.
        options.retries > 0 && (self.promise(options.methods.as_ref()).is_some() || options.lists_status(425))
    }

    /// Could an attempt that was sent and brought no answer be followed by another one? If not, it must not be made on a
    /// connection that the server may be about to close.
    pub fn may_follow_an_unanswered_one(&self, options: &Options) -> bool {
        options.retries > 0 && self.body_replays && self.promise(options.methods.as_ref()).is_some()
    }

    /// What promises that acting on the request twice does no harm, if anything does.
    pub(super) fn promise(&self, methods: Option<&MethodSet>) -> Option<Why> {
        match self.declared {
            Some(true) => return Some(Why::Declared),
            Some(false) => return None,
            None => {}
        }
        let by_method = match methods {
            Some(listed) => listed.contains(self.method).then_some(Why::ListedMethod),
            None => self.is_idempotent().then_some(Why::IdempotentMethod),
        };
        by_method.or(self.idempotency_key.then_some(Why::IdempotencyKey))
    }

    /// RFC 9110, section 9.2.1: the request asks for nothing to change.
    pub(super) fn is_safe(&self) -> bool {
        is_one_of(self.method, &["GET", "HEAD", "OPTIONS", "TRACE"])
    }

    /// RFC 9110, section 9.2.2: the safe methods, PUT and DELETE.
    fn is_idempotent(&self) -> bool {
        self.is_safe() || is_one_of(self.method, &["PUT", "DELETE"])
    }
}

fn is_one_of(method: &str, names: &[&str]) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case(method))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::StatusSet;

    #[test]
    fn what_may_be_repeated_after_it_was_sent_is_what_the_policy_would_repeat() {
        let asked = |method, idempotency_key, options: &Options| {
            Repeatable { method, idempotency_key, declared: None, body_replays: true }.may_follow_a_sent_one(options)
        };
        assert!(asked("POST", false, &Options::default()), "after 425");
        let not_425 = Options { statuses: Some(StatusSet::from_iter([503])), ..Options::default() };
        assert!(!asked("POST", false, &not_425));
        assert!(asked("POST", true, &not_425) && asked("put", false, &not_425) && asked("PUT", false, &not_425));
        let listed = Options { methods: Some(MethodSet::from_iter(["patch"])), ..not_425 };
        assert!(asked("PATCH", false, &listed) && !asked("PUT", false, &listed));
        assert!(!asked("GET", true, &Options { retries: 0, ..Options::default() }));
    }
}
