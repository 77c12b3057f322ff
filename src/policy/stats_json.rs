//! What a policy tells of its origins, in JSON: for callers in JavaScript, who ask now and then.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{BreakerState, Now, OriginStats, Policy};
use crate::milliseconds;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StatsJson {
    calls: u64,
    retries: u64,
    recovered: u64,
    gave_up: u64,
    refused: u64,
    /// Retries left; `null`: no budget.
    budget: Option<u32>,
    /// `null`: no breaker.
    breaker: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangeJson<'a> {
    origin: &'a str,
    from: &'static str,
    to: &'static str,
    /// By the policy's clock, in milliseconds.
    at: f64,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_in: Option<f64>,
}

impl Policy {
    /// [`Policy::stats`]: `{ [origin]: { calls, retries, recovered, gaveUp, refused, budget, breaker } }`
    pub fn stats_json(&self, now: Now) -> String {
        let stats = self.stats(now);
        let told: BTreeMap<&str, StatsJson> = stats.iter().map(|(name, stats)| (&**name, stats.into())).collect();
        // Strings and numbers only: nothing in it can fail to serialise.
        serde_json::to_string(&told).unwrap_or_default()
    }

    /// [`Policy::take_changes`]: `[{ origin, from, to, at, retryIn? }]`; `None` if there are none.
    pub fn take_changes_json(&self) -> Option<String> {
        let changes = self.take_changes();
        let told: Vec<_> = changes
            .iter()
            .map(|change| ChangeJson {
                origin: &change.origin,
                from: change.from.as_str(),
                to: change.to.as_str(),
                at: milliseconds::to_js(change.at),
                retry_in: change.retry_in.map(milliseconds::to_js),
            })
            .collect();
        // As above.
        (!told.is_empty()).then(|| serde_json::to_string(&told).unwrap_or_default())
    }
}

impl From<&OriginStats> for StatsJson {
    fn from(stats: &OriginStats) -> Self {
        let OriginStats { counts, budget, breaker } = *stats;
        Self {
            calls: counts.calls,
            retries: counts.retries,
            recovered: counts.recovered,
            gave_up: counts.gave_up,
            refused: counts.refused,
            budget,
            breaker: breaker.map(BreakerState::as_str),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use serde_json::{Value, json};

    use super::*;
    use crate::policy::{BreakerOptions, Options};

    fn at(milliseconds: u64) -> Now {
        Now { monotonic: Duration::from_millis(milliseconds), wall: SystemTime::UNIX_EPOCH }
    }

    fn read(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn stats_are_an_object_by_origin() {
        let policy = Policy::new(Options { budget: None, ..Options::default() });
        assert_eq!(policy.stats_json(at(0)), "{}");
        policy.count("http://b.example", at(0)).unwrap();
        policy.count("http://a.example", at(0)).unwrap();
        policy.count("http://a.example", at(0)).unwrap();
        let expected = r#"{"http://a.example":{"calls":2,"retries":0,"recovered":0,"gaveUp":0,"refused":0,"budget":null,"breaker":null},"#;
        assert!(policy.stats_json(at(0)).starts_with(expected));

        let watched = policy.with_options(Options { breaker: Some(BreakerOptions::default()), ..Options::default() });
        let stats = read(&watched.stats_json(at(0)))["http://b.example"].clone();
        assert_eq!((&stats["budget"], &stats["breaker"]), (&json!(100), &json!("closed")));
    }

    #[test]
    fn changes_are_an_array_and_taken_once() {
        let breaker =
            BreakerOptions { min_calls: 1, open_for: Duration::from_millis(1_500), ..BreakerOptions::default() };
        let policy = Policy::new(Options { breaker: Some(breaker), ..Options::default() });
        assert_eq!(policy.take_changes_json(), None);
        let admission = policy.count("http://a.example", at(250)).unwrap().unwrap();
        policy.answered("http://a.example", admission, Some(503), at(250));
        policy.count("http://a.example", at(1_750)).unwrap();
        let expected = json!([
            { "origin": "http://a.example", "from": "closed", "to": "open", "at": 250.0, "retryIn": 1500.0 },
            { "origin": "http://a.example", "from": "open", "to": "half-open", "at": 1750.0 },
        ]);
        assert_eq!(read(&policy.take_changes_json().unwrap()), expected);
        assert_eq!(policy.take_changes_json(), None);
    }
}
