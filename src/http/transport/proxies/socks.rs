//! What a SOCKS proxy said.
//!
//! hyper-util speaks the protocol. It keeps its errors to itself: they are in no chain of causes, and most have no public
//! type. The outermost can be named all the same, as what its connector fails with. What a proxy replied is below that,
//! and only hyper-util's words for it come out; they are read here, whole and compared, and what reads otherwise is a
//! failure that says nothing about a later try. The tests have a proxy give each reply, so that other words are noticed.

use std::error::Error;

use ::http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::SocksV5;
use tower::Service;

use super::tunnel;
use crate::fault::{Delivery, Fault, Kind, Phase};

/// That of SOCKS 4 too.
pub(in crate::http::transport) type SocksError = <SocksV5<HttpConnector> as Service<Uri>>::Error;

/// The error that a SOCKS error carries and does not name as its source.
pub(in crate::http::transport) fn carried<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref()? {
        SocksError::Inner(error) => Some(error),
        SocksError::Io(error) => Some(error),
        _ => None,
    }
}

/// `None`: it was not even reached.
pub(in crate::http::transport) fn fault(error: &SocksError) -> Option<Fault> {
    let fault = Fault::new("ERR_PROXY_TUNNEL", Phase::Handshake, Delivery::NotSent);
    Some(match error {
        SocksError::Inner(_) => return None,
        SocksError::Io(error) => tunnel::broken(error),
        SocksError::V5(said) => refused(fault, &said.to_string()),
        SocksError::V4(said) => refused(fault, &said.to_string()),
        // It also says so of a reply whose number has no meaning.
        _ => Fault { transient: false, ..fault }
            .with_reason("The proxy's answer is not SOCKS as it is written down. Is a SOCKS proxy listening there?"),
    })
}

/// `said`: in hyper-util's words.
fn refused(fault: Fault, said: &str) -> Fault {
    let Some((_, kind, transient, reason)) = REPLIES.iter().find(|(words, ..)| *words == said) else {
        return fault.with_reason(format!("The SOCKS proxy did not connect to the server: {said}."));
    };
    Fault { kind: *kind, transient: *transient, ..fault }.with_reason(*reason)
}

/// hyper-util's words, whose fault it is, whether it may pass, and ours. The numbers are those of RFC 1928, section 6, and
/// of SOCKS 4.
const REPLIES: &[(&str, Kind, bool, &str)] = &[
    ("general server failure", Kind::Unreachable, true, "The SOCKS proxy failed to connect to the server (reply 1)."),
    (
        "connection not allowed",
        Kind::Client,
        false,
        "The SOCKS proxy's rules do not allow this server or port (reply 2).",
    ),
    ("network unreachable", Kind::Unreachable, true, "The SOCKS proxy has no way to the server's network (reply 3)."),
    ("host unreachable", Kind::Unreachable, true, "The SOCKS proxy cannot reach the server (reply 4)."),
    ("connection refused", Kind::Unreachable, true, "The server refused the SOCKS proxy's connection (reply 5)."),
    ("ttl expired", Kind::Unreachable, true, "The SOCKS proxy's way to the server is too long or a circle (reply 6)."),
    ("command not supported", Kind::Client, false, "The SOCKS proxy makes no connections (reply 7)."),
    (
        "address type not supported",
        Kind::Client,
        false,
        "The SOCKS proxy does not take this kind of address: a name, IPv4 or IPv6 (reply 8).",
    ),
    (
        "server does not support user/pass authentication",
        Kind::Client,
        false,
        "The SOCKS proxy wants credentials and was given none, or does not take a user name and a password.",
    ),
    (
        "server implements authentication incorrectly",
        Kind::Client,
        false,
        "The SOCKS proxy chose a way to log in that it was not offered.",
    ),
    ("credentials not accepted", Kind::Client, false, "The SOCKS proxy did not accept the user name and the password."),
    (
        "host address is more than 255 characters",
        Kind::Client,
        false,
        "The server's name is longer than the 255 bytes that SOCKS has room for.",
    ),
    (
        "server failed to execute command",
        Kind::Unreachable,
        true,
        "The SOCKS proxy did not connect to the server, or does not allow it (reply 91).",
    ),
    (
        "server ident service failed",
        Kind::Client,
        false,
        "The SOCKS proxy wants to ask this computer who its user is, and cannot (reply 92).",
    ),
    (
        "server ident service did not recognise client identifier",
        Kind::Client,
        false,
        "The SOCKS proxy was told another user by this computer (reply 93).",
    ),
    ("IPV6 is not supported", Kind::Client, false, "The server's address is IPv6, which SOCKS 4 has no room for."),
];
