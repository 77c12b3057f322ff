//! Proxies between this computer and the server.

use super::{Entry, Family};
use crate::fault::{Delivery, Kind, Phase};

pub(super) const FAMILY: Family = Family {
    title: "Proxies",
    introduction: "A proxy could not be used or could not reach the server. The tunnel was never made, so nothing was sent.",
    entries: ENTRIES,
};

const NO_TUNNEL: Entry = Entry::of(Kind::Unreachable, Phase::Handshake, Delivery::NotSent).reconnect();

const ENTRIES: &[Entry] = &[
    NO_TUNNEL
        .code("UND_ERR_PRX_CONN", "The proxy could not make the connection (undici).")
        .transient()
        .causes(&["The server behind the proxy is down", "The proxy refuses this server or port"])
        .action("Try the same through another proxy, or ask who runs the proxy."),
    NO_TUNNEL
        .kind(Kind::Tls)
        .code("UND_ERR_PRX_TLS", "The TLS connection to the proxy failed (undici).")
        .causes(&["The certificate of the proxy is not trusted", "The proxy does not speak TLS"])
        .action("Check the scheme of the proxy's URL and its certificate."),
    NO_TUNNEL
        .code("UND_ERR_PRX_*", "The proxy failed (undici).")
        .causes(&["The proxy is down or refuses"])
        .action("Check the proxy."),
    NO_TUNNEL
        .code("UND_ERR_SOCKS5_*", "The SOCKS5 proxy failed (undici).")
        .causes(&["The proxy refuses the connection or the credentials"])
        .action("Check the proxy's URL and credentials."),
    NO_TUNNEL
        .code("ERR_PROXY_TUNNEL", "The proxy did not open a tunnel to the server.")
        .transient()
        .causes(&[
            "The server behind the proxy is down",
            "The proxy refuses this server or port (403)",
            "Missing credentials (407)",
            "The proxy closed the connection before it answered: it restarts, is overloaded, or is no proxy",
        ])
        .action(
            "Look at `status`, which is the proxy's answer; without one the connection broke. Check the proxy and its \
             credentials. Whether it is transient depends on that status: 503 is, 403 and 407 are not.",
        ),
    NO_TUNNEL
        .kind(Kind::Client)
        .code("ERR_PROXY_INVALID_CONFIG", "The configuration of the proxy is not valid.")
        .causes(&[
            "A malformed HTTP_PROXY or HTTPS_PROXY",
            "A Proxy-Authorization header in a request that goes through a proxy, where the server would read it",
        ])
        .action("Correct the proxy's URL; put its credentials into that URL or into the proxy option."),
];
