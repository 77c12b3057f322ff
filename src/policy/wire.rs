//! A decision asked for and answered in JSON, for callers in JavaScript. Retries are rare next to the wait they
//! precede, so the form is chosen to be read, not to be fast.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Decision, Now, Random, Repeatable, Retries};
use crate::fault::Fault;
use crate::milliseconds;

/// `{ fault, method, idempotencyKey, declared, bodyReplays, verdict, stale }`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Question<'a> {
    fault: Fault,
    /// Absent where there is no HTTP request, as in `retry(fn)`.
    #[serde(borrow, default)]
    method: Cow<'a, str>,
    #[serde(default)]
    idempotency_key: bool,
    declared: Option<bool>,
    #[serde(default = "yes")]
    body_replays: bool,
    verdict: Option<bool>,
    #[serde(default)]
    stale: bool,
}

/// `{ retry: true, delay, freshConnection, why }` or `{ retry: false, gaveUp }`
#[derive(Serialize)]
#[serde(rename_all = "camelCase", untagged)]
enum Answer {
    #[serde(rename_all = "camelCase")]
    Retry {
        retry: bool,
        /// Milliseconds.
        delay: u64,
        fresh_connection: bool,
        why: &'static str,
    },
    #[serde(rename_all = "camelCase")]
    GiveUp { retry: bool, gave_up: &'static str },
}

impl Retries {
    /// [`Retries::decide`] for a caller in JavaScript. An error here is a disagreement between the two halves of
    /// this package.
    pub fn decide_json(&mut self, question: &str, now: Now, random: &mut dyn Random) -> Result<String, String> {
        let question: Question = serde_json::from_str(question).map_err(|error| error.to_string())?;
        let request = Repeatable {
            method: &question.method,
            idempotency_key: question.idempotency_key,
            declared: question.declared,
            body_replays: question.body_replays,
        };
        let decision = self.decide(&question.fault, request, question.verdict, question.stale, now, random);
        serde_json::to_string(&Answer::from(decision)).map_err(|error| error.to_string())
    }
}

impl From<Decision> for Answer {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Retry { delay, fresh_connection, why } => Self::Retry {
                retry: true,
                delay: milliseconds::to_js_whole(delay),
                fresh_connection,
                why: why.as_str(),
            },
            Decision::GiveUp(reason) => Self::GiveUp { retry: false, gave_up: reason.as_str() },
        }
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use serde_json::{Value, json};

    use super::*;
    use crate::fault::{Delivery, Phase};
    use crate::policy::{Options, Policy};

    struct Highest;

    impl Random for Highest {
        fn below(&mut self, bound: u64) -> u64 {
            bound - 1
        }
    }

    const START: Now = Now { monotonic: Duration::ZERO, wall: SystemTime::UNIX_EPOCH };

    fn ask(question: &Value) -> Value {
        let mut retries = Policy::new(Options::default()).begin("https://api.example:443", START);
        let answer = retries.decide_json(&question.to_string(), START, &mut Highest).unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    fn fault(fault: &Fault) -> Value {
        serde_json::from_str(&fault.to_json()).unwrap()
    }

    #[test]
    fn a_retry_is_told_with_its_delay_and_reason() {
        let refused = Fault::new("ECONNREFUSED", Phase::Connect, Delivery::NotSent);
        let answer = ask(&json!({ "fault": fault(&refused), "method": "POST" }));
        let expected = json!({
            "retry": true, "delay": 100, "freshConnection": false, "why": "not-sent",
        });
        assert_eq!(answer, expected);
    }

    #[test]
    fn giving_up_is_told_with_its_reason() {
        let reset = Fault::new("ECONNRESET", Phase::Wait, Delivery::Unknown);
        let answer = ask(&json!({ "fault": fault(&reset), "method": "POST" }));
        assert_eq!(answer, json!({ "retry": false, "gaveUp": "not-idempotent" }));
    }

    #[test]
    fn every_part_of_the_question_counts() {
        let reset = fault(&Fault::new("ECONNRESET", Phase::Wait, Delivery::Unknown));
        let ask = |more: Value| {
            let mut question = json!({ "fault": reset });
            question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let answer = ask(&question);
            answer.get("why").or(answer.get("gaveUp")).unwrap().clone()
        };
        assert_eq!(ask(json!({})), "not-idempotent");
        assert_eq!(ask(json!({ "method": "GET" })), "idempotent-method");
        assert_eq!(ask(json!({ "method": "POST", "idempotencyKey": true })), "idempotency-key");
        assert_eq!(ask(json!({ "declared": true })), "declared");
        assert_eq!(ask(json!({ "declared": true, "bodyReplays": false })), "body-not-replayable");
        assert_eq!(ask(json!({ "verdict": true })), "should-retry");
        assert_eq!(ask(json!({ "method": "GET", "stale": true })), "stale-connection");
    }

    #[test]
    fn retry_after_is_rounded_up_never_down() {
        let mut unavailable = fault(&Fault::from_status(503, None));
        unavailable["retryAfter"] = json!(1500.25);
        let answer = ask(&json!({ "fault": unavailable, "method": "GET" }));
        assert_eq!(answer["delay"], 1501);

        unavailable["retryAfter"] = json!(1e300);
        let answer = ask(&json!({ "fault": unavailable, "method": "GET" }));
        assert_eq!(answer["gaveUp"], "retry-after-too-long");
    }

    #[test]
    fn what_the_javascript_half_should_not_send_is_refused() {
        let mut retries = Policy::new(Options::default()).begin("https://api.example:443", START);
        for question in ["", "{}", r#"{ "fault": { "code": "ECONNRESET" } }"#] {
            assert!(retries.decide_json(question, START, &mut Highest).is_err());
        }
    }
}
