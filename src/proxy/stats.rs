//! How much of everything: the figures a test compares.

use std::collections::BTreeMap;

use serde::Serialize;

/// What a proxy has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    pub connections: Connections,
    pub bytes: Bytes,
    /// How often each type of fault has struck; only those that have.
    pub strikes: BTreeMap<&'static str, u64>,
    pub paused: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Connections {
    pub accepted: u64,
    pub open: u64,
    /// Of those accepted, how many found no upstream.
    pub upstream_failed: u64,
}

/// Bytes forwarded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Bytes {
    /// From clients to the upstream.
    pub request: u64,
    pub response: u64,
}
