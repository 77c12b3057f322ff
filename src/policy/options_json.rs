//! [`Options`] as JavaScript sends them. `lib/policy/options.js` has checked them and speaks to the caller;
//! an error here is a disagreement between the two halves of this package.

use std::time::Duration;

use serde::Deserialize;

use super::{Backoff, BreakerOptions, BudgetOptions, Options};
use crate::milliseconds;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OptionsJson {
    retries: Option<u32>,
    backoff: Option<BackoffJson>,
    within: Option<f64>,
    methods: Option<Vec<Box<str>>>,
    statuses: Option<Vec<u16>>,
    respect_retry_after: Option<bool>,
    budget: Option<BudgetJson>,
    breaker: Option<BreakerJson>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BackoffJson {
    base: Option<f64>,
    cap: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum BudgetJson {
    /// `false`: no budget. `true` would be the default one.
    Switch(bool),
    Limits(BudgetLimitsJson),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BudgetLimitsJson {
    ratio: Option<f64>,
    per_second: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum BreakerJson {
    /// `true`: the default one. `false`: none.
    Switch(bool),
    Limits(BreakerLimitsJson),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct BreakerLimitsJson {
    window: Option<f64>,
    min_calls: Option<u32>,
    failure_rate: Option<f64>,
    open_for: Option<f64>,
    probes: Option<u32>,
}

impl Options {
    /// Reads the JSON that `parseRetryOptions` makes; what it leaves out takes the default. Times are milliseconds.
    ///
    /// ```
    /// use unreset::policy::Options;
    ///
    /// let options = Options::from_json(r#"{ "retries": 5, "backoff": { "base": 50 } }"#).unwrap();
    /// assert_eq!(options.retries, 5);
    /// assert_eq!(options.backoff.base.as_millis(), 50);
    /// assert_eq!(options.backoff.cap.as_secs(), 10);
    /// ```
    pub fn from_json(json: &str) -> Result<Options, String> {
        let given: OptionsJson = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let defaults = Options::default();
        Ok(Options {
            retries: given.retries.unwrap_or(defaults.retries),
            backoff: match given.backoff {
                Some(given) => backoff(given)?,
                None => defaults.backoff,
            },
            within: time("within", given.within, defaults.within)?,
            methods: given.methods.map(|methods| methods.into_iter().collect()),
            statuses: given.statuses.map(|statuses| statuses.into_iter().collect()),
            respect_retry_after: given.respect_retry_after.unwrap_or(defaults.respect_retry_after),
            budget: match given.budget {
                None | Some(BudgetJson::Switch(true)) => defaults.budget,
                Some(BudgetJson::Switch(false)) => None,
                Some(BudgetJson::Limits(limits)) => Some(budget(limits)?),
            },
            breaker: match given.breaker {
                None | Some(BreakerJson::Switch(false)) => None,
                Some(BreakerJson::Switch(true)) => Some(BreakerOptions::default()),
                Some(BreakerJson::Limits(limits)) => Some(breaker(limits)?),
            },
        })
    }
}

fn backoff(given: BackoffJson) -> Result<Backoff, String> {
    let defaults = Backoff::default();
    let base = time("backoff.base", given.base, defaults.base)?;
    // Who asks for a base of 20 s and names no cap does not ask for the 10 s of the default one.
    let cap = time("backoff.cap", given.cap, defaults.cap.max(base))?;
    Ok(Backoff { base, cap })
}

fn budget(limits: BudgetLimitsJson) -> Result<BudgetOptions, String> {
    let defaults = BudgetOptions::default();
    Ok(BudgetOptions {
        ratio: not_negative("budget.ratio", limits.ratio.unwrap_or(defaults.ratio))?,
        per_second: not_negative("budget.perSecond", limits.per_second.unwrap_or(defaults.per_second))?,
    })
}

fn breaker(limits: BreakerLimitsJson) -> Result<BreakerOptions, String> {
    let defaults = BreakerOptions::default();
    let failure_rate = limits.failure_rate.unwrap_or(defaults.failure_rate);
    if !(failure_rate > 0.0 && failure_rate <= 1.0) {
        return Err(format!("breaker.failureRate: {failure_rate} is no share above 0 and up to 1"));
    }
    Ok(BreakerOptions {
        window: some_time("breaker.window", limits.window, defaults.window)?,
        min_calls: at_least_one("breaker.minCalls", limits.min_calls.unwrap_or(defaults.min_calls))?,
        failure_rate,
        open_for: some_time("breaker.openFor", limits.open_for, defaults.open_for)?,
        probes: at_least_one("breaker.probes", limits.probes.unwrap_or(defaults.probes))?,
    })
}

fn some_time(name: &str, given: Option<f64>, default: Duration) -> Result<Duration, String> {
    let time = time(name, given, default)?;
    if time.is_zero() { Err(format!("{name}: 0 is no time")) } else { Ok(time) }
}

fn at_least_one(name: &str, count: u32) -> Result<u32, String> {
    if count == 0 { Err(format!("{name}: 0 is less than 1")) } else { Ok(count) }
}

fn time(name: &str, given: Option<f64>, default: Duration) -> Result<Duration, String> {
    match given {
        None => Ok(default),
        Some(given) => milliseconds::from_js(given).ok_or_else(|| negative(name, given)),
    }
}

fn not_negative(name: &str, value: f64) -> Result<f64, String> {
    if value >= 0.0 { Ok(value) } else { Err(negative(name, value)) }
}

fn negative(name: &str, value: f64) -> String {
    format!("{name}: {value} is negative")
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{MethodSet, StatusSet};

    #[test]
    fn nothing_given_is_the_default() {
        assert_eq!(Options::from_json("{}"), Ok(Options::default()));
    }

    #[test]
    fn every_option_is_read() {
        let json = r#"{
            "retries": 7,
            "backoff": { "base": 12.5, "cap": 3000 },
            "within": 45000,
            "methods": ["POST", "PATCH"],
            "statuses": [418, 503],
            "respectRetryAfter": false,
            "budget": { "ratio": 0.5, "perSecond": 2 },
            "breaker": { "window": 2000, "minCalls": 3, "failureRate": 0.25, "openFor": 700, "probes": 2 }
        }"#;
        let expected = Options {
            retries: 7,
            backoff: Backoff { base: Duration::from_micros(12_500), cap: Duration::from_secs(3) },
            within: Duration::from_secs(45),
            methods: Some(MethodSet::from_iter(["POST", "PATCH"])),
            statuses: Some(StatusSet::from_iter([418, 503])),
            respect_retry_after: false,
            budget: Some(BudgetOptions { ratio: 0.5, per_second: 2.0 }),
            breaker: Some(BreakerOptions {
                window: Duration::from_secs(2),
                min_calls: 3,
                failure_rate: 0.25,
                open_for: Duration::from_millis(700),
                probes: 2,
            }),
        };
        assert_eq!(Options::from_json(json), Ok(expected));
    }

    #[test]
    fn a_base_above_the_default_cap_lifts_it() {
        let backoff = |json: &str| Options::from_json(json).unwrap().backoff;
        let lifted = Backoff { base: Duration::from_secs(20), cap: Duration::from_secs(20) };
        assert_eq!(backoff(r#"{ "backoff": { "base": 20000 } }"#), lifted);
        let capped = Backoff { base: Duration::from_millis(100), cap: Duration::from_millis(50) };
        assert_eq!(backoff(r#"{ "backoff": { "cap": 50 } }"#), capped);
    }

    #[test]
    fn false_is_no_budget_and_half_a_budget_takes_the_other_half_from_the_default() {
        let budget = |json: &str| Options::from_json(json).unwrap().budget;
        assert_eq!(budget(r#"{ "budget": false }"#), None);
        let half = BudgetOptions { ratio: 0.2, per_second: 1.0 };
        assert_eq!(budget(r#"{ "budget": { "perSecond": 1 } }"#), Some(half));
    }

    #[test]
    fn a_breaker_is_there_if_it_is_asked_for_and_takes_what_is_left_out_from_the_default() {
        let breaker = |json: &str| Options::from_json(json).unwrap().breaker;
        assert_eq!(breaker(r#"{ "breaker": false }"#), None);
        assert_eq!(breaker(r#"{ "breaker": true }"#), Some(BreakerOptions::default()));
        assert_eq!(breaker(r#"{ "breaker": {} }"#), Some(BreakerOptions::default()));
        let three = BreakerOptions { probes: 3, ..BreakerOptions::default() };
        assert_eq!(breaker(r#"{ "breaker": { "probes": 3 } }"#), Some(three));
    }

    #[test]
    fn what_the_javascript_half_should_not_have_let_through_is_refused() {
        for json in [
            "",
            "[]",
            r#"{ "retry": 3 }"#,
            r#"{ "retries": -1 }"#,
            r#"{ "retries": 1.5 }"#,
            r#"{ "within": -1 }"#,
            r#"{ "backoff": { "base": -1 } }"#,
            r#"{ "backoff": { "factor": 2 } }"#,
            r#"{ "budget": { "ratio": -0.1 } }"#,
            r#"{ "statuses": [70000] }"#,
            r#"{ "breaker": 3 }"#,
            r#"{ "breaker": { "rate": 0.5 } }"#,
            r#"{ "breaker": { "window": 0 } }"#,
            r#"{ "breaker": { "minCalls": 0 } }"#,
            r#"{ "breaker": { "failureRate": 0 } }"#,
            r#"{ "breaker": { "failureRate": 1.01 } }"#,
            r#"{ "breaker": { "openFor": -1 } }"#,
            r#"{ "breaker": { "probes": 0 } }"#,
        ] {
            assert!(Options::from_json(json).is_err(), "{json}");
        }
    }
}
