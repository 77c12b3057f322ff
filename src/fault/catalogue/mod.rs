//! What is known about every code: the one source for classification, for `explain(code)` and for
//! `docs/faults.md`.
//!
//! Each family is one file with a table of [`Entry`]. Adding a code is adding a row; the reference page and
//! `explain` follow (`node scripts/faults-doc.js` writes the page).

mod abort;
mod client;
mod connection;
mod database;
mod dns;
mod entry;
mod files;
mod grpc;
mod local;
mod phase;
mod protocol;
mod proxy;
mod status;
mod timeout;
mod tls;
mod unknown;
mod websocket;
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
    websocket::FAMILY,
    abort::FAMILY,
    local::FAMILY,
    files::FAMILY,
    client::FAMILY,
    proxy::FAMILY,
    database::FAMILY,
    grpc::FAMILY,
    unknown::FAMILY,
];

static BY_CODE: LazyLock<HashMap<&'static str, &'static Entry>> =
    LazyLock::new(|| entries().map(|entry| (entry.code, entry)).collect());

/// Every entry, family by family.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    FAMILIES.iter().flat_map(|family| family.entries)
}

/// What is known about a code: its own entry, or the one of the open-ended group it belongs to (`HTTP_4XX`,
/// `WS_4XXX`, `ERR_SSL_*`, `HPE_*`).
pub fn find(code: &str) -> Option<&'static Entry> {
    BY_CODE.get(code).or_else(|| BY_CODE.get(group_of(code)?)).copied()
}

/// The code under which a group without a closed list keeps its common entry.
fn group_of(code: &str) -> Option<&'static str> {
    if let Some(status) = code.strip_prefix("HTTP_") {
        return status::group_of(status.parse().ok()?);
    }
    if let Some(close) = code.strip_prefix("WS_").and_then(|close| close.parse().ok()) {
        return websocket::group_of(close);
    }
    const OPEN_ENDED: [(&str, &str); 7] = [
        ("ERR_SSL_", "ERR_SSL_*"),
        ("ERR_TLS_", "ERR_TLS_*"),
        ("HPE_", "HPE_*"),
        ("WS_ERR_", "WS_ERR_*"),
        ("ERR_HTTP2_", "ERR_HTTP2_*"),
        ("UND_ERR_PRX_", "UND_ERR_PRX_*"),
        ("UND_ERR_SOCKS5", "UND_ERR_SOCKS5_*"),
    ];
    OPEN_ENDED.iter().find(|(prefix, _)| code.starts_with(prefix)).map(|(_, group)| *group)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::fault::{Delivery, Kind, Phase, errno};

    #[test]
    fn every_code_is_listed_once() {
        let mut seen = HashSet::new();
        for entry in entries() {
            assert!(seen.insert(entry.code), "{} is listed twice", entry.code);
        }
    }

    #[test]
    fn every_entry_tells_what_it_is_why_it_happens_and_what_to_do() {
        for entry in entries() {
            assert!(entry.meaning.ends_with('.'), "{}", entry.code);
            assert!(entry.action.ends_with('.'), "{}", entry.code);
            assert!(!entry.causes.is_empty(), "{}", entry.code);
            assert!(entry.causes.iter().all(|cause| !cause.ends_with('.')), "{}", entry.code);
        }
    }

    #[test]
    fn a_code_becomes_one_that_stays_what_it_is_and_is_of_the_same_kind() {
        for entry in entries() {
            let Some(canonical) = entry.becomes else {
                continue;
            };
            let target = find(canonical).unwrap_or_else(|| panic!("{} becomes nothing known", entry.code));
            assert_eq!(target.becomes, None, "{}", entry.code);
            assert_eq!((target.kind, target.transient), (entry.kind, entry.transient), "{}", entry.code);
        }
    }

    #[test]
    fn every_timeout_is_etimedout_but_a_status_and_what_waited_in_a_queue_of_ours() {
        const OTHERS: [&str; 3] = ["HTTP_408", "ERR_SOCKET_WRITE_EXPIRED", "ERR_WEBSOCKET_MESSAGE_EXPIRED"];
        for entry in entries().filter(|entry| entry.kind == Kind::Timeout) {
            let code = entry.becomes.unwrap_or(entry.code);
            assert!(code == "ETIMEDOUT" || OTHERS.contains(&code), "{}", entry.code);
        }
    }

    #[test]
    fn what_the_caller_caused_is_never_transient() {
        for entry in entries() {
            let caused = entry.kind == Kind::Aborted || (entry.kind == Kind::Client && entry.phase == Phase::Send);
            assert!(!(caused && entry.transient), "{}", entry.code);
        }
    }

    #[test]
    fn nothing_is_sent_before_there_is_a_connection_and_only_an_answer_is_answered() {
        for entry in entries() {
            if matches!(entry.phase, Phase::Resolve | Phase::Connect) {
                assert_eq!(entry.delivery, Delivery::NotSent, "{}", entry.code);
            }
            if entry.delivery == Delivery::Answered {
                assert_eq!(entry.phase, Phase::Receive, "{}", entry.code);
            }
        }
    }

    /// `crate::http` names its faults in these files. A code that is added there is added here, and finds its row.
    #[test]
    fn every_code_of_our_own_client_has_its_own_row() {
        let call = ["ERR_BAD_PORT", "ERR_INVALID_URL", "ERR_UNSUPPORTED_PROTOCOL", "ETIMEDOUT"];
        let attempts = ["ERR_BREAKER_OPEN", "ETIMEDOUT"];
        let redirect =
            ["ERR_BODY_NOT_REPLAYABLE", "ERR_INVALID_REDIRECT", "ERR_TOO_MANY_REDIRECTS", "ERR_UNEXPECTED_REDIRECT"];
        let resume = ["ECONNRESET", "ERR_RESUME_CHANGED", "ERR_RESUME_RANGE"];
        let decode = ["ERR_RESPONSE_TOO_LARGE", "ERR_TOO_MANY_CONTENT_ENCODINGS", "Z_BUF_ERROR", "Z_DATA_ERROR"];
        let evidence = [
            "ABORT_ERR",
            "ECONNRESET",
            "HPE_INVALID_CHUNK_SIZE",
            "HPE_INVALID_CONSTANT",
            "HPE_INVALID_STATUS",
            "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH",
            "UNKNOWN",
        ];
        let resolver = [
            "EAI_AGAIN",
            "EAI_BADFLAGS",
            "EAI_FAIL",
            "EAI_FAMILY",
            "EAI_MEMORY",
            "EAI_SERVICE",
            "EAI_SOCKTYPE",
            "ENOTFOUND",
        ];
        let tls = [
            "DEPTH_ZERO_SELF_SIGNED_CERT",
            "INVALID_PURPOSE",
            "SELF_SIGNED_CERT_IN_CHAIN",
            "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
            "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        ];
        let tls_evidence = [
            "CERT_HAS_EXPIRED",
            "CERT_NOT_YET_VALID",
            "CERT_REJECTED",
            "CERT_REVOKED",
            "CERT_SIGNATURE_FAILURE",
            "EPROTO",
            "ERR_SSL_DATA_LENGTH_TOO_LONG",
            "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
            "ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE",
            "ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED",
            "ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN",
            "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
            "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
            "ERR_SSL_TLSV1_ALERT_ACCESS_DENIED",
            "ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY",
            "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR",
            "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL",
            "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION",
            "ERR_SSL_TLSV1_ALERT_UNKNOWN_CA",
            "ERR_SSL_TLSV1_UNRECOGNIZED_NAME",
            "ERR_SSL_UNSUPPORTED_PROTOCOL",
            "ERR_SSL_WRONG_VERSION_NUMBER",
            "ERR_TLS_CERT_ALTNAME_INVALID",
        ];
        // `websocket/`, and `lib/websocket/`
        let websocket = [
            "ERR_WEBSOCKET_BLOB_UNREADABLE",
            "ERR_WEBSOCKET_CLOSED",
            "ERR_WEBSOCKET_MESSAGE_CUT",
            "ERR_WEBSOCKET_MESSAGE_EXPIRED",
            "ERR_WEBSOCKET_MESSAGE_OVERSIZED",
            "ERR_WEBSOCKET_NOT_OPEN",
            "ERR_WEBSOCKET_QUEUE_FULL",
            "ERR_WS_HANDSHAKE",
            "ERR_WS_PROTOCOL",
            "WS_1006",
            "WS_ERR_EXPECTED_FIN",
            "WS_ERR_INVALID_CLOSE_CODE",
            "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH",
            "WS_ERR_INVALID_OPCODE",
            "WS_ERR_INVALID_UTF8",
            "WS_ERR_UNEXPECTED_MASK",
            "WS_ERR_UNEXPECTED_RSV_1",
            "WS_ERR_UNEXPECTED_RSV_2_3",
            "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH",
        ];
        let proxies = ["ERR_PROXY_INVALID_CONFIG", "ERR_PROXY_TUNNEL"];
        // `node/call.rs` and `lib/fetch/`
        let boundary = ["ERR_INTEGRITY_MISMATCH", "ERR_UNRESET_INTERNAL"];
        // `lib/stream/`
        let streams = ["ERR_DIGEST_MISMATCH", "ERR_DOWNLOAD_LOCKED", "ERR_DOWNLOAD_SIZE"];
        let files: [&[&str]; 13] = [
            &call,
            &attempts,
            &redirect,
            &resume,
            &decode,
            &evidence,
            &resolver,
            &tls,
            &tls_evidence,
            &proxies,
            &boundary,
            &websocket,
            &streams,
        ];
        for code in files.concat() {
            assert_eq!(find(code).map(|entry| entry.code), Some(code));
        }
    }

    /// `Fault::from_io` takes its codes from there.
    #[test]
    fn every_name_of_a_system_error_has_its_own_row() {
        for name in errno::names() {
            assert_eq!(find(name).map(|entry| entry.code), Some(name));
        }
    }

    #[test]
    fn groups_stand_in_for_codes_that_are_not_listed() {
        assert_eq!(find("HTTP_418").map(|entry| entry.code), Some("HTTP_4XX"));
        assert_eq!(find("HTTP_599").map(|entry| entry.code), Some("HTTP_5XX"));
        assert_eq!(find("ERR_SSL_SOMETHING_NEW").map(|entry| entry.code), Some("ERR_SSL_*"));
        for none in ["HTTP_", "HTTP_x", "HTTP_99", "HTTP_600", "HTTP_-1", "ERR_SSL", "", "econnreset"] {
            assert!(find(none).is_none(), "{none}");
        }
    }
}
