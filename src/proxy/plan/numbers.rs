//! Numbers as JavaScript sends them, each within what can be meant.

use std::time::Duration;

use serde_json::Value;

use super::PlanError;
use crate::milliseconds;

/// `Number.MAX_SAFE_INTEGER`: above it JavaScript cannot count.
const MOST: u64 = (1 << 53) - 1;

/// The longest wait that a timer of Node counts, as for every other option of this package.
const LONGEST_TIMER: f64 = 2_147_483_647.0;

pub(super) fn count(option: String, value: &Value, least: u64) -> Result<u64, PlanError> {
    count_to(option, value, least, MOST)
}

pub(super) fn count_to(option: String, value: &Value, least: u64, most: u64) -> Result<u64, PlanError> {
    let accepted = match most {
        MOST => format!("a whole number of at least {least}"),
        most => format!("a whole number from {least} to {most}"),
    };
    if !value.is_number() {
        return Err(PlanError::wrong_type(option, &accepted, value));
    }
    match value.as_u64() {
        Some(count) if (least..=most).contains(&count) => Ok(count),
        _ => Err(PlanError::out_of_range(option, &accepted, value)),
    }
}

pub(super) fn number(option: String, value: &Value, least: f64, most: f64) -> Result<f64, PlanError> {
    let accepted = match most {
        f64::INFINITY => format!("a number of at least {least}"),
        most => format!("a number from {least} to {most}"),
    };
    within(option, value, &accepted, least, most)
}

pub(super) fn time(option: String, value: &Value) -> Result<Duration, PlanError> {
    let milliseconds = within(option, value, TIME, 0.0, LONGEST_TIMER)?;
    // Cannot be `None`: it is neither negative nor not a number.
    Ok(milliseconds::from_js(milliseconds).unwrap_or_default())
}

/// What [`time`] accepts, in words.
pub(super) const TIME: &str = "a number of milliseconds, from 0 to 2147483647";

fn within(option: String, value: &Value, accepted: &str, least: f64, most: f64) -> Result<f64, PlanError> {
    match value.as_f64() {
        None => Err(PlanError::wrong_type(option, accepted, value)),
        Some(number) if (least..=most).contains(&number) => Ok(number),
        Some(_) => Err(PlanError::out_of_range(option, accepted, value)),
    }
}
