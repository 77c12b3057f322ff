//! The form in which a fault crosses to JavaScript: plain JSON, absent where unknown, times in milliseconds.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::{Delivery, Ending, Fault, Kind, Phase};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    code: &'a str,
    kind: Kind,
    phase: Phase,
    delivery: Delivery,
    transient: bool,
    reconnect: bool,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending: Option<Ending>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    syscall: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Milliseconds from `now`.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl Fault {
    /// `{code, kind, phase, delivery, transient, reconnect, reason, ending?, ..., retryAfter?, detail?}` with
    /// `retryAfter` counted from this moment.
    pub fn to_json(&self) -> String {
        // As below: nothing in it can fail to serialise.
        serde_json::to_string(&self.wire(SystemTime::now())).unwrap_or_default()
    }

    /// The same as a value to embed in a larger one, with `retryAfter` counted from `now`.
    pub fn to_value_at(&self, now: SystemTime) -> serde_json::Value {
        // Strings, numbers and unit variants only: nothing in it can fail to serialise.
        serde_json::to_value(self.wire(now)).unwrap_or_default()
    }

    fn wire(&self, now: SystemTime) -> Wire<'_> {
        Wire {
            code: &self.code,
            kind: self.kind,
            phase: self.phase,
            delivery: self.delivery,
            transient: self.transient,
            reconnect: self.reconnect,
            reason: &self.reason,
            ending: self.ending,
            errno: self.errno,
            syscall: self.syscall.as_deref(),
            address: self.address.as_deref(),
            port: self.port,
            status: self.status,
            retry_after: self.retry_after.map(|wish| whole_milliseconds(wish.delay_from(now))),
            detail: self.detail.as_deref(),
        }
    }
}

/// Rounded up, so that a caller who waits for it is not early; at most what a JavaScript number counts exactly.
fn whole_milliseconds(delay: Duration) -> u64 {
    const MAX_SAFE_INTEGER: u128 = (1 << 53) - 1;
    let milliseconds = delay.as_nanos().div_ceil(1_000_000).min(MAX_SAFE_INTEGER);
    u64::try_from(milliseconds).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fault::RetryAfter;

    #[test]
    fn what_is_unknown_is_absent() {
        let fault = Fault::new("EPIPE", Phase::Send, Delivery::Unknown);
        let value: serde_json::Value = serde_json::from_str(&fault.to_json()).unwrap();
        let keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["code", "delivery", "kind", "phase", "reason", "reconnect", "transient"]);
    }

    #[test]
    fn what_is_known_is_named_as_node_names_it() {
        let fault = Fault::from_status(503, Some(RetryAfter::Delay(Duration::from_micros(1_500))))
            .with_address("127.0.0.1")
            .with_port(80)
            .with_errno(-104)
            .with_syscall("read")
            .with_ending(Ending::Rst)
            .with_detail("word for word");
        let value = fault.to_value_at(SystemTime::UNIX_EPOCH);
        for (key, expected) in [
            ("retryAfter", json!(2)),
            ("address", json!("127.0.0.1")),
            ("port", json!(80)),
            ("errno", json!(-104)),
            ("syscall", json!("read")),
            ("ending", json!("rst")),
            ("status", json!(503)),
            ("detail", json!("word for word")),
        ] {
            assert_eq!(value[key], expected, "{key}");
        }
    }

    #[test]
    fn a_date_is_told_in_milliseconds_from_now() {
        let at = RetryAfter::At(SystemTime::UNIX_EPOCH + Duration::from_secs(10));
        let fault = Fault::from_status(429, Some(at));
        let told =
            |seconds| fault.to_value_at(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))["retryAfter"].clone();
        assert_eq!(told(4), json!(6_000));
        assert_eq!(told(11), json!(0));
    }

    #[test]
    fn a_delay_beyond_what_javascript_counts_is_capped() {
        let fault = Fault::from_status(429, Some(RetryAfter::Delay(Duration::from_secs(u64::MAX))));
        assert_eq!(fault.to_value_at(SystemTime::UNIX_EPOCH)["retryAfter"], json!(9_007_199_254_740_991_u64));
    }
}
