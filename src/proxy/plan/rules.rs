//! What cannot be combined: an option that would be ignored, or a fault that cannot happen at the point it names.
//!
//! Ignoring either would let a test pass that struck nothing.

use serde_json::{Map, Value};

use super::{Action, PlanError, Point};

/// A port either listens or not: there is nobody to choose among, and nothing to count.
const MEANINGLESS_FOR_REFUSE: [&str; 8] =
    ["afterBytes", "frame", "afterMs", "everyNth", "connections", "times", "probability", "match"];

pub(super) fn check(given: &Map<String, Value>, action: Action, point: Point) -> Result<(), PlanError> {
    let at_point = format!("on: '{}'", point.name());
    let of_type = format!("type: '{}'", action.name());
    if !can_happen_at(action, point) {
        return Err(PlanError::contradiction(format!("fault.type '{}'", action.name()), &at_point));
    }
    let clash = |options: &[&'static str], with: &str| match options.iter().find(|option| given.contains_key(**option))
    {
        Some(option) => Err(PlanError::contradiction(format!("fault.{option}"), with)),
        None => Ok(()),
    };
    if point.frame().is_none() && action != Action::Refuse {
        clash(&["frame"], &at_point)?;
    }
    match (action, point) {
        (Action::Refuse, _) => clash(&MEANINGLESS_FOR_REFUSE, &of_type),
        (Action::Latency { .. }, Point::Accept) => {
            // The delay begins at accept; a second one before it would be the same delay under another name.
            clash(&["afterMs"], &format!("{of_type}, {at_point}"))?;
            clash(&["afterBytes", "match"], &at_point)
        }
        // Neither has bytes to count, nor a request to look at.
        (_, Point::Accept | Point::Idle) => clash(&["afterBytes", "match"], &at_point),
        // These are one exact place in the stream.
        (_, Point::BeforeRequestForwarded | Point::AfterRequestForwarded) => clash(&["afterBytes"], &at_point),
        // The requests that these follow are through.
        (_, Point::Frame(..)) => clash(&["match"], &at_point),
        (_, Point::AfterFrame(..)) => clash(&["afterBytes", "match"], &at_point),
        (_, Point::Bytes(..) | Point::ResponseHead(_) | Point::ResponseBody(_)) => Ok(()),
    }
}

fn can_happen_at(action: Action, point: Point) -> bool {
    match action {
        Action::Refuse => point == Point::Accept,
        // Silence cannot be delayed.
        Action::Latency { .. } => point != Point::Idle,
        // These shape a flow of bytes, so they need one.
        Action::Bandwidth { .. } | Action::Slice { .. } => {
            matches!(point, Point::Bytes(..) | Point::ResponseBody(_))
        }
        Action::Reset | Action::Close | Action::HalfClose | Action::BlackHole | Action::Stall => true,
    }
}
