//! What happened, in order: for a failing test to print.

use serde::Serialize;

/// The newest entries; the oldest are dropped and counted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Timeline {
    pub dropped: u64,
    pub entries: Vec<Entry>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Milliseconds since the proxy listens.
    pub at: f64,
    /// In order of accept, from 1; 0: the proxy as a whole.
    pub connection: u32,
}
