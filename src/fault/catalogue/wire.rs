//! The reference as JSON, for `explain` and for the page.

use serde::Serialize;

use super::{Entry, FAMILIES, find};
use crate::fault::{Delivery, Kind, Phase};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanation<'a> {
    code: &'a str,
    /// The code that a fault carries instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    becomes: Option<&'static str>,
    kind: Kind,
    phase: Phase,
    delivery: Delivery,
    transient: bool,
    reconnect: bool,
    meaning: &'static str,
    causes: &'static [&'static str],
    action: &'static str,
}

#[derive(Serialize)]
struct Chapter {
    title: &'static str,
    introduction: &'static str,
    entries: Vec<Explanation<'static>>,
}

/// What is known about a code, or `None`. A code of an open-ended group gets the group's entry under its own name.
pub fn explain_json(code: &str) -> Option<String> {
    let entry = find(code)?;
    json(&explanation(code, entry))
}

/// The whole catalogue, family by family.
pub fn reference_json() -> String {
    let chapters: Vec<Chapter> = FAMILIES
        .iter()
        .map(|family| Chapter {
            title: family.title,
            introduction: family.introduction,
            entries: family.entries.iter().map(|entry| explanation(entry.code, entry)).collect(),
        })
        .collect();
    json(&chapters).unwrap_or_default()
}

fn explanation<'a>(code: &'a str, entry: &Entry) -> Explanation<'a> {
    Explanation {
        code,
        becomes: entry.becomes,
        kind: entry.kind,
        phase: entry.phase,
        delivery: entry.delivery,
        transient: entry.transient,
        reconnect: entry.reconnect,
        meaning: entry.meaning,
        causes: entry.causes,
        action: entry.action,
    }
}

/// Strings, booleans and lists of them: nothing here can fail to serialise.
fn json(value: &impl Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}
