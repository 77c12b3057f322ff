//! Policies that JavaScript can write are read as they are; what it cannot write is refused, and never a policy that
//! computes with what is no number of milliseconds.

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::policy::{MethodSet, StatusSet};

/// A number in quarters: serde_json may be one unit in the last place off, for the sake of speed.
fn quarters() -> impl Strategy<Value = f64> {
    any::<u32>().prop_map(|quarters| f64::from(quarters) / 4.0)
}

/// Milliseconds as JavaScript may have them.
fn milliseconds_of_js() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => quarters(),
        1 => Just(f64::MAX),
        1 => Just(9_007_199_254_740_993.0),
    ]
}

/// Anything that `JSON.stringify` can make, a few levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((key(), inner), 0..4).prop_map(|pairs| Value::from(Map::from_iter(pairs))),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(vec![
            "retries", "backoff", "within", "methods", "statuses", "respectRetryAfter", "budget", "base", "cap", "ratio", "perSecond",
            "breaker", "window", "minCalls", "failureRate", "openFor", "probes",
        ]).prop_map(String::from),
        1 => "[a-z]{0,6}",
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        retries in of(any::<u32>()),
        (base, cap, within) in (of(milliseconds_of_js()), of(milliseconds_of_js()), of(milliseconds_of_js())),
        methods in of(vec("[A-Z]{1,7}", 0..4)),
        statuses in of(vec(any::<u16>(), 0..5)),
        respect in of(any::<bool>()),
        budget in of((of(quarters()), of(quarters()))),
    ) {
        let mut written = Map::new();
        let mut put = |key: &str, value: Option<Value>| value.map(|value| written.insert(key.to_owned(), value));
        put("retries", retries.map(Value::from));
        put("backoff", (base.is_some() || cap.is_some()).then(|| json!({ "base": base, "cap": cap })));
        put("within", within.map(Value::from));
        put("methods", methods.clone().map(Value::from));
        put("statuses", statuses.clone().map(Value::from));
        put("respectRetryAfter", respect.map(Value::from));
        put("budget", budget.map(|(ratio, per_second)| json!({ "ratio": ratio, "perSecond": per_second })));
        let read = Options::from_json(&Value::from(written).to_string()).map_err(TestCaseError::fail)?;

        let usual = Options::default();
        let time = |given: Option<f64>, usual| given.map_or(usual, |given| milliseconds::from_js(given).expect("it is one"));
        prop_assert_eq!(read.retries, retries.unwrap_or(usual.retries));
        prop_assert_eq!(read.within, time(within, usual.within));
        prop_assert_eq!(read.backoff.base, time(base, usual.backoff.base));
        prop_assert_eq!(read.backoff.cap, time(cap, usual.backoff.cap.max(read.backoff.base)));
        prop_assert_eq!(read.methods, methods.map(MethodSet::from_iter));
        prop_assert_eq!(read.statuses, statuses.map(StatusSet::from_iter));
        prop_assert_eq!(read.respect_retry_after, respect.unwrap_or(true));
        let defaults = BudgetOptions::default();
        let (ratio, per_second) = budget.unwrap_or_default();
        let expected = BudgetOptions {
            ratio: ratio.unwrap_or(defaults.ratio),
            per_second: per_second.unwrap_or(defaults.per_second),
        };
        prop_assert_eq!(read.budget, Some(expected));
        prop_assert_eq!(read.breaker, None);
    }

    #[test]
    fn any_json_is_a_policy_that_can_be_computed_with_or_is_refused(value in any_json()) {
        if let Ok(options) = Options::from_json(&value.to_string()) {
            prop_assert!(value.is_object() || value.is_array());
            for time in [options.within, options.backoff.base, options.backoff.cap] {
                prop_assert!(time <= milliseconds::LONGEST);
            }
            if let Some(BudgetOptions { ratio, per_second }) = options.budget {
                prop_assert!(ratio >= 0.0 && per_second >= 0.0);
            }
            if let Some(BreakerOptions { window, min_calls, failure_rate, open_for, probes }) = options.breaker {
                prop_assert!(!window.is_zero() && window <= milliseconds::LONGEST);
                prop_assert!(!open_for.is_zero() && open_for <= milliseconds::LONGEST);
                prop_assert!(min_calls > 0 && probes > 0 && failure_rate > 0.0 && failure_rate <= 1.0);
            }
        }
    }

    #[test]
    fn any_text_is_answered(text in ".{0,60}") {
        // Whatever it says: the two halves of this package disagree, and nothing more.
        let _ = Options::from_json(&text);
    }
}
