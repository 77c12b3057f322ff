//! What is wrong with a fault that a caller wrote, in the words that `lib/validate.js` uses for every other option.

use serde_json::Value;

/// Why a fault was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PlanError {
    /// The option as the caller wrote it: `fault.afterBytes`.
    pub option: String,
    /// One sentence that names the option, what is accepted and what came instead.
    pub message: String,
    /// Node's own: `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` or `ERR_OUT_OF_RANGE`.
    pub code: &'static str,
    /// A `RangeError` in JavaScript; otherwise a `TypeError`.
    pub is_range: bool,
}

impl PlanError {
    pub(super) fn wrong_type(option: String, accepted: &str, value: &Value) -> Self {
        let message = complaint(&option, accepted, value);
        Self { option, message, code: "ERR_INVALID_ARG_TYPE", is_range: false }
    }

    pub(super) fn wrong_value(option: String, accepted: &str, value: &Value) -> Self {
        let message = complaint(&option, accepted, value);
        Self { option, message, code: "ERR_INVALID_ARG_VALUE", is_range: false }
    }

    pub(super) fn out_of_range(option: String, accepted: &str, value: &Value) -> Self {
        let message = complaint(&option, accepted, value);
        Self { option, message, code: "ERR_OUT_OF_RANGE", is_range: true }
    }

    pub(super) fn missing(option: String, accepted: &str) -> Self {
        let message = format!("{option} must be {accepted}. Received undefined.");
        Self { option, message, code: "ERR_INVALID_ARG_TYPE", is_range: false }
    }

    pub(super) fn unknown(option: String, accepted: &str) -> Self {
        let message = format!("{option} is not an option{accepted}.");
        Self { option, message, code: "ERR_INVALID_ARG_VALUE", is_range: false }
    }

    /// `with` is the other option as the caller wrote it: `on: 'idle'`.
    pub(super) fn contradiction(option: String, with: &str) -> Self {
        let message = format!("{option} cannot be combined with {with}.");
        Self { option, message, code: "ERR_INVALID_ARG_VALUE", is_range: false }
    }
}

fn complaint(option: &str, accepted: &str, value: &Value) -> String {
    format!("{option} must be {accepted}. Received {}.", shown(value))
}

/// As Node's `inspect` shows it, on one line and short.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 80;
    let text = inspected(value, true);
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST - 3).chain("...".chars()).collect()
}

fn inspected(value: &Value, outermost: bool) -> String {
    match value {
        Value::String(text) => format!("'{text}'"),
        Value::Array(elements) if elements.is_empty() => "[]".to_owned(),
        Value::Array(_) if !outermost => "[Array]".to_owned(),
        Value::Array(elements) => {
            let elements: Vec<_> = elements.iter().map(|element| inspected(element, false)).collect();
            format!("[ {} ]", elements.join(", "))
        }
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(_) if !outermost => "[Object]".to_owned(),
        Value::Object(members) => {
            let members: Vec<_> =
                members.iter().map(|(key, value)| format!("{key}: {}", inspected(value, false))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_shown_as_node_shows_them() {
        assert_eq!(shown(&json!("idel")), "'idel'");
        assert_eq!(shown(&json!(null)), "null");
        assert_eq!(shown(&json!(1.5)), "1.5");
        assert_eq!(shown(&json!([1, "a", [2]])), "[ 1, 'a', [Array] ]");
        assert_eq!(shown(&json!({ "a": { "b": 1 } })), "{ a: [Object] }");
        assert_eq!(shown(&json!([])), "[]");
        assert_eq!(shown(&json!({})), "{}");
        let long = shown(&json!("é".repeat(200)));
        assert_eq!(long.chars().count(), 80);
        assert!(long.ends_with("..."));
    }
}
