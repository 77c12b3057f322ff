//! The form in which a fault crosses to JavaScript: plain JSON, absent where unknown, times in milliseconds.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Delivery, Ending, Fault, Kind, Phase, RetryAfter};
use crate::milliseconds;

/// What is not told is what the catalogue says of the code, or absent.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wire<'a> {
    #[serde(borrow)]
    pub code: Cow<'a, str>,
    pub kind: Kind,
    pub phase: Phase,
    pub delivery: Delivery,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transient: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reconnect: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errno: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syscall: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Milliseconds from now; written as a whole number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(serialize_with = "write_whole", deserialize_with = "read_lenient")]
    pub retry_after: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Cow<'a, str>>,
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
            code: Cow::Borrowed(&self.code),
            kind: self.kind,
            phase: self.phase,
            delivery: self.delivery,
            transient: Some(self.transient),
            reconnect: Some(self.reconnect),
            reason: Some(Cow::Borrowed(&self.reason)),
            ending: self.ending,
            errno: self.errno,
            syscall: self.syscall.as_deref().map(Cow::Borrowed),
            address: self.address.as_deref().map(Cow::Borrowed),
            port: self.port,
            status: self.status,
            retry_after: self.retry_after.map(|wish| wish.delay_from(now)),
            detail: self.detail.as_deref().map(Cow::Borrowed),
        }
    }
}

impl From<Wire<'_>> for Fault {
    fn from(wire: Wire<'_>) -> Self {
        let known = Fault::new(wire.code.into_owned(), wire.phase, wire.delivery);
        Fault {
            kind: wire.kind,
            transient: wire.transient.unwrap_or(known.transient),
            reconnect: wire.reconnect.unwrap_or(known.reconnect),
            reason: wire.reason.map_or(known.reason, |reason| reason.into_owned().into()),
            ending: wire.ending,
            errno: wire.errno,
            syscall: wire.syscall.map(|syscall| syscall.into_owned().into()),
            address: wire.address.map(Cow::into_owned),
            port: wire.port,
            status: wire.status,
            retry_after: wire.retry_after.map(RetryAfter::Delay),
            detail: wire.detail.map(Cow::into_owned),
            ..known
        }
    }
}

/// Reads what [`Fault::to_json`] writes.
impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Wire::deserialize(deserializer).map(Fault::from)
    }
}

fn write_whole<S: Serializer>(delay: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    delay.map(milliseconds::to_js_whole).serialize(serializer)
}

/// A fault may be a caller's own object: a wish that is no time is no wish.
fn read_lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.and_then(milliseconds::from_js))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_unknown_is_absent() {
        let fault = Fault::new("EPIPE", Phase::Send, Delivery::Unknown);
        let value: serde_json::Value = serde_json::from_str(&fault.to_json()).unwrap();
        let keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["code", "delivery", "kind", "phase", "reason", "reconnect", "transient"]);
    }

    #[test]
    fn what_is_known_is_named_as_node_names_it() {
        let fault =
            Fault { retry_after: Some(RetryAfter::Delay(Duration::from_micros(1_500))), ..Fault::with_every_field() };
        let value = fault.to_value_at(SystemTime::UNIX_EPOCH);
        for (key, expected) in [
            ("retryAfter", json!(2)),
            ("address", json!("127.0.0.1")),
            ("port", json!(80)),
            ("errno", json!(-104)),
            ("syscall", json!("read")),
            ("ending", json!("rst")),
            ("status", json!(200)),
            ("detail", json!("\"word\" for\nword")),
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

    #[test]
    fn what_was_written_is_read() {
        let fault = Fault::with_every_field();
        assert_eq!(serde_json::from_str::<Fault>(&fault.to_json()).unwrap(), fault);
    }

    #[test]
    fn what_is_not_told_is_what_the_catalogue_says() {
        let read = |more: &str| {
            let json = format!(r#"{{"code":"EPIPE","kind":"reset","phase":"send","delivery":"unknown"{more}}}"#);
            serde_json::from_str::<Fault>(&json).unwrap()
        };
        assert_eq!(read(""), Fault::new("EPIPE", Phase::Send, Delivery::Unknown));
        assert!(!read(r#","transient":false"#).transient);
        assert_eq!(read(r#","retryAfter":-1"#).retry_after, None);
        assert_eq!(read(r#","retryAfter":1.5"#).retry_after, Some(RetryAfter::Delay(Duration::from_micros(1_500))));
    }
}
