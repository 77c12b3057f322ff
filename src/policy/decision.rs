//! What the policy answers, and why: an explanation is part of every answer, because "it was not retried" is
//! the question a person asks first when a call has failed.

use std::fmt;
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Begin another attempt after `delay`.
    Retry {
        delay: Duration,
        /// On a connection that no request has used before: the pooled ones are suspect.
        fresh_connection: bool,
        why: Why,
    },
    GiveUp(GaveUp),
}

/// What made a repetition permissible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// Not one byte of the request left: nothing can happen twice.
    NotSent,
    /// 425 (Too Early): the server states that it did not process the request (RFC 8470, section 5.2).
    NotProcessed,
    /// RFC 9110, section 9.2.2: the method means the same however often it arrives.
    IdempotentMethod,
    /// The request carries an `Idempotency-Key`: the server recognises the repetition.
    IdempotencyKey,
    /// `methods` lists it.
    ListedMethod,
    /// `retry(fn)`: calling it declares the function repeatable.
    Declared,
    /// The `shouldRetry` hook said so.
    ShouldRetry,
    /// The reused connection had died while it was idle: repeated at once, on a fresh one.
    StaleConnection,
}

impl Why {
    pub const fn as_str(self) -> &'static str {
        match self {
            Why::NotSent => "not-sent",
            Why::NotProcessed => "not-processed",
            Why::IdempotentMethod => "idempotent-method",
            Why::IdempotencyKey => "idempotency-key",
            Why::ListedMethod => "listed-method",
            Why::Declared => "declared",
            Why::ShouldRetry => "should-retry",
            Why::StaleConnection => "stale-connection",
        }
    }
}

/// Why there is no further attempt. Ordered as [`Retries::decide`](super::Retries::decide) asks: when several
/// hold, the first one is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GaveUp {
    /// The caller ended the call.
    Aborted,
    /// The same call would fail again: a bad certificate, a 404, a bug; or `shouldRetry` said no.
    NotTransient,
    /// The server may have acted on the request, and acting twice may do harm.
    NotIdempotent,
    /// The request body was a stream and is spent.
    BodyNotReplayable,
    /// The response body broke, and nothing proves that what would come next belongs to what has come.
    NotResumable,
    /// `retries` is used up.
    AttemptsExhausted,
    /// The next attempt would begin later than `within` allows, or when the call has reached its total limit.
    OutOfTime,
    /// The server asked for a longer wait than `within` leaves.
    RetryAfterTooLong,
    /// The origin is taken for down: its breaker is open, or will still be when the wait is over.
    BreakerOpen,
    /// The origin has had its share of retries for now. Asked last, because asking costs a token.
    BudgetExhausted,
}

impl GaveUp {
    pub const fn as_str(self) -> &'static str {
        match self {
            GaveUp::Aborted => "aborted",
            GaveUp::NotTransient => "not-transient",
            GaveUp::NotIdempotent => "not-idempotent",
            GaveUp::BodyNotReplayable => "body-not-replayable",
            GaveUp::NotResumable => "not-resumable",
            GaveUp::AttemptsExhausted => "attempts-exhausted",
            GaveUp::OutOfTime => "out-of-time",
            GaveUp::RetryAfterTooLong => "retry-after-too-long",
            GaveUp::BreakerOpen => "breaker-open",
            GaveUp::BudgetExhausted => "budget-exhausted",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These names are what users compare with: `recovery.gaveUp === 'out-of-time'`.
    #[test]
    fn every_reason_has_its_public_name() {
        let names = [
            (GaveUp::Aborted, "aborted"),
            (GaveUp::NotTransient, "not-transient"),
            (GaveUp::NotIdempotent, "not-idempotent"),
            (GaveUp::BodyNotReplayable, "body-not-replayable"),
            (GaveUp::NotResumable, "not-resumable"),
            (GaveUp::AttemptsExhausted, "attempts-exhausted"),
            (GaveUp::OutOfTime, "out-of-time"),
            (GaveUp::RetryAfterTooLong, "retry-after-too-long"),
            (GaveUp::BreakerOpen, "breaker-open"),
            (GaveUp::BudgetExhausted, "budget-exhausted"),
        ];
        for (reason, name) in names {
            assert_eq!(reason.to_string(), name);
        }
    }
}
