//! [`Plan`] as JavaScript sends it. There is no second check on the JavaScript side: these errors are what users read.

use std::time::Duration;

use serde_json::{Map, Value};

use super::numbers::{TIME, count, count_to, number, time};
use super::{Action, Direction, Match, PathPattern, Plan, PlanError, Point, rules};

const ACCEPTED: &str = "an object with type and on";
const TYPES: [&str; 9] =
    ["reset", "close", "halfClose", "refuse", "blackhole", "stall", "latency", "bandwidth", "slice"];
const POINTS: [&str; 12] = [
    "accept",
    "request",
    "response",
    "idle",
    "before-request-forwarded",
    "after-request-forwarded",
    "response-head",
    "response-body",
    "request-frame",
    "response-frame",
    "after-request-frame",
    "after-response-frame",
];
/// The options of every type; each type may have its own besides.
const COMMON: [&str; 10] =
    ["type", "on", "afterBytes", "frame", "afterMs", "everyNth", "connections", "times", "probability", "match"];
const SLICE_MOST: u64 = 1 << 30;

impl Plan {
    /// Reads a fault: `{ type, on, afterBytes?, frame?, afterMs?, everyNth?, connections?, times?, probability?, match? }` and
    /// the options of its type. Times are milliseconds.
    pub fn from_json(text: &str) -> Result<Plan, PlanError> {
        let value = match serde_json::from_str(text) {
            Ok(value) => value,
            // `JSON.stringify` makes nothing from `undefined` or a function.
            Err(_) => return Err(PlanError::missing("fault".to_owned(), ACCEPTED)),
        };
        let Value::Object(given) = value else {
            return Err(PlanError::wrong_type("fault".to_owned(), ACCEPTED, &value));
        };
        let plan_type = one_of(&given, "type", &TYPES)?;
        check_keys(&given, plan_type)?;
        let action = action(&given, plan_type)?;
        let point = point(&given)?;
        let plan = Plan {
            action,
            point,
            after: optional(&given, "afterMs", time)?.unwrap_or(Duration::ZERO),
            every_nth: optional(&given, "everyNth", |name, value| count(name, value, 1))?.unwrap_or(1),
            connections: optional(&given, "connections", connections)?,
            times: optional(&given, "times", |name, value| count(name, value, 1))?,
            probability: optional(&given, "probability", |name, value| number(name, value, 0.0, 1.0))?.unwrap_or(1.0),
            matching: optional(&given, "match", matching)?,
        };
        rules::check(&given, action, point)?;
        Ok(plan)
    }
}

fn action(given: &Map<String, Value>, plan_type: &str) -> Result<Action, PlanError> {
    Ok(match plan_type {
        "reset" => Action::Reset,
        "close" => Action::Close,
        "halfClose" => Action::HalfClose,
        "refuse" => Action::Refuse,
        "blackhole" => Action::BlackHole,
        "stall" => Action::Stall,
        "latency" => latency(given)?,
        "bandwidth" => Action::Bandwidth {
            rate: required(given, "rate", "a number of at least 1", |name, value| {
                number(name, value, 1.0, f64::INFINITY)
            })?,
        },
        // `one_of` has let nothing else through.
        _slice => Action::Slice {
            size: required(given, "size", "a whole number of at least 1", |name, value| {
                // Fits: it is at most 2^30. A larger slice is no slice.
                count(name, value, 1).map(|size| size.min(SLICE_MOST) as usize)
            })?,
            gap: optional(given, "ms", time)?.unwrap_or(Duration::ZERO),
        },
    })
}

fn latency(given: &Map<String, Value>) -> Result<Action, PlanError> {
    let delay = required(given, "ms", TIME, time)?;
    let jitter = optional(given, "jitter", time)?.unwrap_or(Duration::ZERO);
    match given.get("jitter") {
        // What would leave before it arrived could only leave at once, and the mean would not be `ms`.
        Some(value) if jitter > delay => {
            let accepted = format!("at most fault.ms ({})", crate::milliseconds::to_js(delay));
            Err(PlanError::out_of_range("fault.jitter".to_owned(), &accepted, value))
        }
        _ => Ok(Action::Latency { delay, jitter }),
    }
}

fn point(given: &Map<String, Value>) -> Result<Point, PlanError> {
    let after_bytes = optional(given, "afterBytes", |name, value| count(name, value, 0))?.unwrap_or(0);
    let frame = optional(given, "frame", |name, value| count(name, value, 1))?.unwrap_or(1);
    Ok(match one_of(given, "on", &POINTS)? {
        "accept" => Point::Accept,
        "request" => Point::Bytes(Direction::Request, after_bytes),
        "response" => Point::Bytes(Direction::Response, after_bytes),
        "idle" => Point::Idle,
        "before-request-forwarded" => Point::BeforeRequestForwarded,
        "after-request-forwarded" => Point::AfterRequestForwarded,
        "response-head" => Point::ResponseHead(after_bytes),
        "response-body" => Point::ResponseBody(after_bytes),
        "request-frame" => Point::Frame(Direction::Request, frame, after_bytes),
        "response-frame" => Point::Frame(Direction::Response, frame, after_bytes),
        "after-request-frame" => Point::AfterFrame(Direction::Request, frame),
        // `one_of` has let nothing else through.
        _after_response_frame => Point::AfterFrame(Direction::Response, frame),
    })
}

fn connections(name: String, value: &Value) -> Result<Box<[u32]>, PlanError> {
    const ACCEPTED: &str = "an array of connection numbers, which begin at 1";
    let Value::Array(numbers) = value else {
        return Err(PlanError::wrong_type(name, ACCEPTED, value));
    };
    // A fault for no connection at all is a mistake in the list.
    if numbers.is_empty() {
        return Err(PlanError::wrong_value(name, ACCEPTED, value));
    }
    let most = u64::from(u32::MAX);
    let number = |(index, value)| count_to(format!("{name}[{index}]"), value, 1, most).map(|number| number as u32);
    numbers.iter().enumerate().map(number).collect()
}

fn matching(name: String, value: &Value) -> Result<Match, PlanError> {
    const KEYS: [&str; 2] = ["method", "path"];
    let Value::Object(given) = value else {
        return Err(PlanError::wrong_type(name, "an object", value));
    };
    if let Some(unknown) = given.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(PlanError::unknown(format!("{name}.{unknown}"), ". Accepted: method, path"));
    }
    Ok(Match {
        method: given.get("method").map(|value| method(format!("{name}.method"), value)).transpose()?,
        path: given.get("path").map(|value| path(format!("{name}.path"), value)).transpose()?,
    })
}

fn method(name: String, value: &Value) -> Result<Box<str>, PlanError> {
    const ACCEPTED: &str = "an HTTP method";
    let Value::String(method) = value else {
        return Err(PlanError::wrong_type(name, ACCEPTED, value));
    };
    match http::Method::from_bytes(method.as_bytes()) {
        Ok(_) => Ok(method.to_ascii_uppercase().into()),
        Err(_) => Err(PlanError::wrong_value(name, ACCEPTED, value)),
    }
}

fn path(name: String, value: &Value) -> Result<PathPattern, PlanError> {
    const ACCEPTED: &str = "a path that begins with /, without a query";
    let Value::String(path) = value else {
        return Err(PlanError::wrong_type(name, ACCEPTED, value));
    };
    // What no request target looks like (RFC 9112, section 3.2) would never fit, and strike nothing without a word. The
    // query is not compared. A target may also be a whole URL, to a proxy, and `host:port`, of a CONNECT.
    let may_be_target = path.starts_with(['/', '*']) || path.contains(':');
    if !may_be_target || path.contains(['?', '#']) {
        return Err(PlanError::wrong_value(name, ACCEPTED, value));
    }
    Ok(match path.strip_suffix('*') {
        Some(prefix) => PathPattern::Prefix(prefix.into()),
        None => PathPattern::Exact(path.as_str().into()),
    })
}

/// A misspelt option that is silently ignored is a test that strikes nothing.
fn check_keys(given: &Map<String, Value>, plan_type: &str) -> Result<(), PlanError> {
    let own: &[&str] = match plan_type {
        "latency" => &["ms", "jitter"],
        "bandwidth" => &["rate"],
        "slice" => &["size", "ms"],
        _ => &[],
    };
    let accepted = || COMMON.iter().chain(own);
    match given.keys().find(|key| accepted().all(|known| known != key)) {
        None => Ok(()),
        Some(unknown) => {
            let list: Vec<_> = accepted().copied().collect();
            let of = format!(" of type '{plan_type}'. Accepted: {}", list.join(", "));
            Err(PlanError::unknown(format!("fault.{unknown}"), &of))
        }
    }
}

fn one_of(given: &Map<String, Value>, name: &str, known: &[&'static str]) -> Result<&'static str, PlanError> {
    let option = format!("fault.{name}");
    let accepted = format!("one of {}", known.join(", "));
    match given.get(name) {
        None => Err(PlanError::missing(option, &accepted)),
        Some(Value::String(text)) => match known.iter().find(|known| *known == text) {
            Some(known) => Ok(known),
            None => Err(PlanError::wrong_value(option, &accepted, &given[name])),
        },
        Some(value) => Err(PlanError::wrong_type(option, &accepted, value)),
    }
}

fn required<T>(
    given: &Map<String, Value>,
    name: &str,
    accepted: &str,
    read: impl FnOnce(String, &Value) -> Result<T, PlanError>,
) -> Result<T, PlanError> {
    match optional(given, name, read)? {
        Some(value) => Ok(value),
        None => Err(PlanError::missing(format!("fault.{name}"), accepted)),
    }
}

fn optional<T>(
    given: &Map<String, Value>,
    name: &str,
    read: impl FnOnce(String, &Value) -> Result<T, PlanError>,
) -> Result<Option<T>, PlanError> {
    given.get(name).map(|value| read(format!("fault.{name}"), value)).transpose()
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
