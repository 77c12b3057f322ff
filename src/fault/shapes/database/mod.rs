//! Drivers of databases.
//!
//! What a server answers has a code of the server's. What a driver finds itself often has neither code nor type: for those
//! there are the words, and the drivers' tests hold them to the versions that are in use.

pub mod mongodb;
pub mod mysql;
pub mod postgres;
pub mod redis;

use super::Case;
use crate::fault::{Delivery, Ending, Fault, Kind, Phase};

/// The peer ended the connection in good order while something was outstanding.
fn ended(case: &Case<'_>) -> Fault {
    case.fault("ECONNRESET", Phase::Wait, Delivery::Unknown).with_ending(Ending::Fin)
}

/// It was known to be dead before anything was written.
fn dead(case: &Case<'_>) -> Fault {
    case.fault("ECONNRESET", Phase::Send, Delivery::NotSent)
        .with_reason("The connection had been lost before the statement was handed to it: nothing was sent.")
}

/// A limit of the driver's on the time of a statement, which may go on at the server.
fn slow(case: &Case<'_>) -> Fault {
    case.fault("ETIMEDOUT", Phase::Wait, Delivery::Unknown)
}

fn slow_to_connect(case: &Case<'_>) -> Fault {
    case.fault("ETIMEDOUT", Phase::Connect, Delivery::NotSent)
}

/// Nothing is wrong with the server: every connection of the pool is in use.
fn exhausted(case: &Case<'_>) -> Fault {
    Fault { reconnect: false, ..case.fault("ETIMEDOUT", Phase::Connect, Delivery::NotSent) }
        .with_reason("All connections of the pool are in use, and none came free in time.")
}

/// The program has closed it itself.
fn closed(case: &Case<'_>) -> Fault {
    case.fault("ERR_CLIENT_CLOSED", Phase::Send, Delivery::NotSent)
}

/// What a server answered with a code of its own. A code that is not in the catalogue is a refusal of what was asked, which
/// would be refused again.
fn answered(case: &Case<'_>, code: String, refusal: &'static str) -> Fault {
    let fault = case.described(Fault::of_code(code));
    if fault.kind != Kind::Unknown {
        return fault;
    }
    Fault { kind: Kind::Client, phase: Phase::Receive, delivery: Delivery::Answered, ..fault }.with_reason(refusal)
}

/// Finds a message in a table.
fn said<T: Copy>(case: &Case<'_>, table: &[(&str, T)]) -> Option<T> {
    let message = case.message()?;
    table.iter().find(|(text, _)| *text == message).map(|(_, what)| *what)
}

type Shape = fn(&Case<'_>) -> Fault;
