//! What is known about every code: the one source for classification, for `explain(code)` and for
//! `docs/faults.md`.
//!
//! Each family is one file with a table of [`Entry`]. Adding a code is adding a row; the reference page and
//! `explain` follow (`node scripts/faults-doc.js` writes the page).

mod abort;
mod client;
mod connection;
mod dns;
mod entry;
mod local;
mod phase;
mod protocol;
mod proxy;
mod status;
mod timeout;
mod tls;
mod unknown;
mod wire;

use std::collections::HashMap;
use std::sync::LazyLock;

pub use entry::Entry;
pub use phase::meaning_in_phase;
pub use unknown::UNKNOWN;
pub use wire::{explain_json, reference_json};

/// A chapter of the reference.
pub struct Family {
    pub title: &'static str,
    pub introduction: &'static str,
    pub entries: &'static [Entry],
}

/// Every family, in the order in which a reader meets them.
pub static FAMILIES: &[Family] = &[
    connection::FAMILY,
    timeout::FAMILY,
    dns::FAMILY,
    tls::certificate::FAMILY,
    tls::handshake::FAMILY,
    status::FAMILY,
    protocol::FAMILY,
    abort::FAMILY,
    local::FAMILY,
    client::FAMILY,
    proxy::FAMILY,
    unknown::FAMILY,
];

static BY_CODE: LazyLock<HashMap<&'static str, &'static Entry>> =
    LazyLock::new(|| entries().map(|entry| (entry.code, entry)).collect());

/// Every entry, family by family.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    FAMILIES.iter().flat_map(|family| family.entries)
}

/// What is known about a code: its own entry, or the one of the open-ended group it belongs to (`HTTP_4XX`,
/// `ERR_SSL_*`, `HPE_*`).
pub fn find(code: &str) -> Option<&'static Entry> {
    BY_CODE.get(code).or_else(|| BY_CODE.get(group_of(code)?)).copied()
}

/// The code under which a group without a closed list keeps its common entry.
fn group_of(code: &str) -> Option<&'static str> {
    if let Some(status) = code.strip_prefix("HTTP_") {
        return status::group_of(status.parse().ok()?);
    }
    const OPEN_ENDED: [(&str, &str); 6] = [
        ("ERR_SSL_", "ERR_SSL_*"),
        ("ERR_TLS_", "ERR_TLS_*"),
        ("HPE_", "HPE_*"),
        ("ERR_HTTP2_", "ERR_HTTP2_*"),
        ("UND_ERR_PRX_", "UND_ERR_PRX_*"),
        ("UND_ERR_SOCKS5", "UND_ERR_SOCKS5_*"),
    ];
    OPEN_ENDED.iter().find(|(prefix, _)| code.starts_with(prefix)).map(|(_, group)| *group)
}
