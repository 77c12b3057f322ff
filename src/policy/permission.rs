//! Is a repetition worth anything, and is it allowed? Asked before how often and when.

use super::{GaveUp, Options, Repeatable, Why};
use crate::fault::{Delivery, Fault, Kind};

/// What makes a repetition permissible, or the first reason that forbids it.
pub(super) fn permit(
    fault: &Fault,
    request: Repeatable<'_>,
    verdict: Option<bool>,
    options: &Options,
) -> Result<Why, GaveUp> {
    if fault.kind == Kind::Aborted {
        return Err(GaveUp::Aborted);
    }
    if !verdict.unwrap_or_else(|| is_worth_repeating(fault, options)) {
        return Err(GaveUp::NotTransient);
    }
    let why = proof(fault)
        .or_else(|| promise(fault, request, options))
        .or((verdict == Some(true)).then_some(Why::ShouldRetry))
        .ok_or(GaveUp::NotIdempotent)?;
    if !request.body_replays {
        return Err(GaveUp::BodyNotReplayable);
    }
    Ok(why)
}

/// Would the same call plausibly end differently? The caller's list of statuses decides about responses, the
/// classifier about everything else.
fn is_worth_repeating(fault: &Fault, options: &Options) -> bool {
    match status(fault) {
        Some(status) => options.lists_status(status),
        None => fault.transient,
    }
}

/// What the failure itself proves: the server has not acted on the request, whatever it asked for.
fn proof(fault: &Fault) -> Option<Why> {
    match (fault.delivery, status(fault)) {
        (Delivery::NotSent, _) => Some(Why::NotSent),
        (_, Some(425)) => Some(Why::NotProcessed),
        _ => None,
    }
}

/// What the request promises: acting on it twice does no harm.
fn promise(fault: &Fault, request: Repeatable<'_>, options: &Options) -> Option<Why> {
    let why = request.promise(options.methods.as_ref())?;
    // 500 says that the handler ran and failed midway, perhaps after half its work: harmless only where it had
    // nothing to change. A caller who lists 500, or declares the call repeatable, has thought about that.
    let half_done = status(fault) == Some(500) && options.statuses.is_none();
    if half_done && why != Why::Declared && !request.is_safe() {
        return None;
    }
    Some(why)
}

/// The status, where the fault *is* a response. A reset inside a body may carry the status of the response it cut
/// off, and a throttling error of an API client the 400 it came with: those are no answers by status.
pub(super) fn status(fault: &Fault) -> Option<u16> {
    fault.status.filter(|_| fault.code.starts_with("HTTP_"))
}
