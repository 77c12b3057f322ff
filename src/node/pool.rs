//! What a client's connections are made with: the caller's options laid over the usual ones.
//!
//! The usual values stand in [`TransportOptions`] and nowhere else; JavaScript sends only what it was given.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::engine::Core;
use super::lookup::JsLookup;
use crate::http::transport::lookup::{InOrder, Lookup, ResultOrder, SystemLookup};
use crate::http::transport::options::{KeepAlive, TransportOptions};
use crate::milliseconds;

/// `{ "connections": 10, "keepAlive": false | {...}, "http2": false, "socketPath": "..." }`, each as it differs from what is usual.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct PoolOptions {
    connections: Option<NonZeroUsize>,
    keep_alive: Option<WireKeepAlive>,
    http2: Option<bool>,
    socket_path: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum WireKeepAlive {
    Kept(bool),
    For(WireTimes),
}

/// Milliseconds.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct WireTimes {
    #[serde(deserialize_with = "time")]
    timeout: Option<Duration>,
    #[serde(deserialize_with = "time")]
    max_timeout: Option<Duration>,
    #[serde(deserialize_with = "time")]
    guarded_timeout: Option<Duration>,
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let given = f64::deserialize(deserializer)?;
    milliseconds::from_js(given).map(Some).ok_or_else(|| D::Error::custom("a time is negative"))
}

impl PoolOptions {
    pub fn over(&self, usual: TransportOptions) -> TransportOptions {
        TransportOptions {
            connections: self.connections.or(usual.connections),
            keep_alive: match self.keep_alive {
                None | Some(WireKeepAlive::Kept(true)) => usual.keep_alive,
                Some(WireKeepAlive::Kept(false)) => None,
                Some(WireKeepAlive::For(times)) => Some(times.over(usual.keep_alive.unwrap_or_default())),
            },
            http2: self.http2.unwrap_or(usual.http2),
            socket_path: self.socket_path.clone().or(usual.socket_path),
            ..usual
        }
    }
}

impl WireTimes {
    fn over(self, usual: KeepAlive) -> KeepAlive {
        let WireTimes { timeout, max_timeout, guarded_timeout: guarded } = self;
        // The one that is not given gives way: a connection that has been closed cannot be used again by anybody.
        KeepAlive {
            timeout: timeout.unwrap_or(usual.timeout.max(guarded.unwrap_or(Duration::ZERO))),
            max_timeout: max_timeout.unwrap_or(usual.max_timeout),
            guarded_timeout: guarded.unwrap_or(usual.guarded_timeout.min(timeout.unwrap_or(Duration::MAX))),
        }
    }
}

/// Where a client's addresses come from: the caller's function, or the system in the order that Node is told to use.
pub fn lookup(core: &Arc<Core>, function: Option<u32>, order: &str) -> Arc<dyn Lookup> {
    match function {
        Some(function) => Arc::new(JsLookup::new(Arc::clone(core), function)),
        None => Arc::new(InOrder { lookup: SystemLookup::new(), order: ResultOrder::of_node(order) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> TransportOptions {
        serde_json::from_str::<PoolOptions>(json).unwrap().over(TransportOptions::default())
    }

    fn times(json: &str) -> [u128; 3] {
        let KeepAlive { timeout, max_timeout, guarded_timeout } = read(json).keep_alive.unwrap();
        [timeout, max_timeout, guarded_timeout].map(|time| time.as_millis())
    }

    #[test]
    fn what_is_not_given_is_as_usual() {
        let (options, usual) = (read("{}"), TransportOptions::default());
        assert_eq!(options.connections, usual.connections);
        assert_eq!(options.keep_alive, usual.keep_alive);
        assert_eq!(options.http2, usual.http2);
        assert_eq!(options.socket_path, usual.socket_path);
        assert_eq!(read(r#"{"keepAlive":true}"#).keep_alive, usual.keep_alive);
    }

    #[test]
    fn each_option_reaches_the_transport() {
        assert_eq!(read(r#"{"connections":7}"#).connections, NonZeroUsize::new(7));
        assert_eq!(read(r#"{"keepAlive":false}"#).keep_alive, None);
        assert!(!read(r#"{"http2":false}"#).http2);
        assert_eq!(read(r#"{"socketPath":"/run/a b.sock"}"#).socket_path, Some("/run/a b.sock".into()));
        assert_eq!(times(r#"{"keepAlive":{"timeout":1500,"maxTimeout":2500,"guardedTimeout":0.5}}"#), [1500, 2500, 0]);
    }

    #[test]
    fn the_time_that_is_not_given_gives_way_to_the_one_that_is() {
        assert_eq!(times(r#"{"keepAlive":{"timeout":500}}"#), [500, 600_000, 500]);
        assert_eq!(times(r#"{"keepAlive":{"timeout":2000}}"#), [2000, 600_000, 1000]);
        assert_eq!(times(r#"{"keepAlive":{"guardedTimeout":9000}}"#), [9000, 600_000, 9000]);
        assert_eq!(times(r#"{"keepAlive":{"guardedTimeout":0}}"#), [4000, 600_000, 0]);
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for wrong in [
            r#"{"connections":0}"#,
            r#"{"connections":-1}"#,
            r#"{"keepAlive":{"idle":1}}"#,
            r#"{"keepAlive":{"timeout":-1}}"#,
            r#"{"http2":"only"}"#,
            r#"{"pipelining":1}"#,
        ] {
            assert!(serde_json::from_str::<PoolOptions>(wrong).is_err(), "{wrong}");
        }
    }

    /// JavaScript users read the defaults in `index.d.ts`; these are what they get.
    #[test]
    fn the_contract_states_the_usual_times() {
        let contract = include_str!("../../index.d.ts");
        let KeepAlive { timeout, max_timeout, guarded_timeout } = KeepAlive::default();
        for (option, time) in [("timeout", timeout), ("maxTimeout", max_timeout), ("guardedTimeout", guarded_timeout)] {
            let stated = contract.split("interface KeepAlive ").nth(1).unwrap();
            let stated = stated.split(&format!("\n  {option}?: number;")).next().unwrap().rsplit("/**").next().unwrap();
            let digits: String = stated.split("Default ").nth(1).unwrap().split(" ms").next().unwrap().replace(' ', "");
            assert_eq!(digits.parse(), Ok(time.as_millis()), "{option}");
        }
    }
}
