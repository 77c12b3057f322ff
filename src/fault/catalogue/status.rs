//! HTTP statuses as faults: `HTTP_503` and so on. A response began, so delivery is `answered`.

use super::{Entry, Family};
use crate::fault::{Delivery, Kind, Phase};

pub(super) const FAMILY: Family = Family {
    title: "HTTP statuses",
    introduction: "The server answered, with a status that means failure. `transient` says that a later try may be answered \
                   otherwise; whether a call is repeated is up to the policy, which looks at the method too. A 503 with \
                   `Retry-After` is `throttled`. Statuses that are not listed follow their class.",
    entries: ENTRIES,
};

/// The group whose entry stands for a status that has none of its own.
pub(super) fn group_of(status: u16) -> Option<&'static str> {
    match status {
        100..=399 => Some("HTTP_2XX"),
        400..=499 => Some("HTTP_4XX"),
        500..=599 => Some("HTTP_5XX"),
        _ => None,
    }
}

const CLIENT: Entry = Entry::of(Kind::Client, Phase::Receive, Delivery::Answered);
const SERVER: Entry = Entry::of(Kind::Server, Phase::Receive, Delivery::Answered);
const TOO_LARGE: Entry = CLIENT.kind(Kind::TooLarge);

const ENTRIES: &[Entry] = &[
    CLIENT
        .code("HTTP_400", "The server found the request malformed.")
        .causes(&["A body or parameter that does not fit the API"])
        .action("Read the response body; correct the request."),
    CLIENT
        .code("HTTP_401", "The request needs valid credentials.")
        .causes(&["A missing or expired token"])
        .action("Renew the credentials, then repeat."),
    CLIENT
        .code("HTTP_403", "The credentials do not allow this.")
        .causes(&["Missing permission", "A firewall that blocks this client"])
        .action("Ask for the permission; a retry does not help."),
    CLIENT
        .code("HTTP_404", "There is nothing at this URL.")
        .causes(&["A wrong path", "The thing was deleted: also the expected answer to a DELETE that was repeated"])
        .action("Check the URL."),
    CLIENT
        .code("HTTP_405", "The URL does not accept this method.")
        .causes(&["A wrong method or path"])
        .action("Read the `Allow` header."),
    CLIENT
        .code("HTTP_407", "The proxy needs credentials.")
        .causes(&["Missing or wrong user and password for the proxy"])
        .action("Put the proxy's credentials into its URL."),
    CLIENT
        .kind(Kind::Timeout)
        .transient()
        .reconnect()
        .code("HTTP_408", "The server waited too long for the request and closes the connection.")
        .causes(&["An idle keep-alive connection that the server gave up", "A slow upload"])
        .action("Repeat on a new connection if the call is idempotent."),
    CLIENT
        .code("HTTP_409", "The request conflicts with the state of the thing.")
        .causes(&["Two writers at once", "It exists already: also the expected answer to a creation that was repeated"])
        .action("Read the current state and decide."),
    CLIENT
        .code("HTTP_410", "The thing at this URL is gone for good.")
        .causes(&["It was deleted on purpose"])
        .action("Remove the link."),
    CLIENT
        .code("HTTP_412", "A condition of the request does not hold.")
        .causes(&[
            "`If-Match` names an older version: also the expected answer to a conditional write that was repeated",
        ])
        .action("Read the current version and decide."),
    TOO_LARGE
        .code("HTTP_413", "The request body is larger than the server accepts.")
        .causes(&["A limit of the server or of a proxy in front of it"])
        .action("Send less at once, or raise the limit."),
    TOO_LARGE
        .code("HTTP_414", "The URL is longer than the server accepts.")
        .causes(&["Data in the query string that belongs into a body"])
        .action("Use POST with a body."),
    TOO_LARGE
        .code("HTTP_431", "The request headers are larger than the server accepts.")
        .causes(&["Cookies that have grown", "A large token"])
        .action("Send fewer or smaller headers."),
    CLIENT
        .transient()
        .reconnect()
        .code("HTTP_421", "This connection does not serve this host.")
        .causes(&["An HTTP/2 connection that was shared between host names"])
        .action("Repeat on a new connection."),
    CLIENT
        .code("HTTP_422", "The server understood the request and rejects its content.")
        .causes(&["A value that breaks a rule of the API"])
        .action("Read the response body; correct the request."),
    CLIENT
        .transient()
        .code("HTTP_425", "The server does not want to process a request that could be replayed.")
        .causes(&["TLS early data"])
        .action("Repeat without early data; the server has not acted."),
    CLIENT
        .kind(Kind::Throttled)
        .transient()
        .code("HTTP_429", "The server asks for fewer calls.")
        .causes(&["A rate limit", "A retry storm"])
        .action("Wait as long as `Retry-After` says, and send fewer calls at once."),
    CLIENT
        .code("HTTP_4XX", "The server rejects the request.")
        .causes(&["Something in the request"])
        .action("Read the response body; a retry of the same request does not help."),
    SERVER
        .transient()
        .code("HTTP_500", "The server failed while handling the request.")
        .causes(&["A bug or a failing dependency behind the server"])
        .action("Repeat calls that only read. A write may have happened in part."),
    SERVER
        .code("HTTP_501", "The server does not know this method.")
        .causes(&["A feature that is not implemented"])
        .action("Use another method."),
    SERVER
        .transient()
        .code("HTTP_502", "A proxy got no valid answer from the server behind it.")
        .causes(&["The server behind restarts or crashed", "A keep-alive race between the proxy and the server"])
        .action("Repeat idempotent calls with backoff."),
    SERVER
        .transient()
        .code("HTTP_503", "The server cannot answer now.")
        .causes(&["Overload, maintenance, or no healthy instance behind the load balancer"])
        .action("Repeat idempotent calls with backoff, and obey `Retry-After`."),
    SERVER
        .transient()
        .code("HTTP_504", "A proxy got no answer in time from the server behind it.")
        .causes(&["The server behind is overloaded or works longer than the proxy waits"])
        .action("Repeat idempotent calls with backoff. The server behind may still be working."),
    SERVER
        .code("HTTP_505", "The server does not support this HTTP version.")
        .causes(&["A very old server"])
        .action("Use HTTP/1.1."),
    SERVER
        .code("HTTP_507", "The server has no room to store this.")
        .causes(&["A full disk or quota"])
        .action("Free space on the server."),
    SERVER
        .code("HTTP_508", "The server found an endless loop.")
        .causes(&["A proxy or redirect that leads back to itself"])
        .action("Correct the configuration of the server."),
    SERVER
        .code("HTTP_511", "The network wants a login first.")
        .causes(&["A captive portal (hotel, train)"])
        .action("Log in to the network."),
    SERVER
        .transient()
        .code("HTTP_520", "Cloudflare got an answer from the server that it does not understand.")
        .causes(&["The server behind crashed, reset the connection, or sent too large headers"])
        .action("Repeat idempotent calls with backoff."),
    SERVER
        .transient()
        .code("HTTP_521", "Cloudflare: the server behind refuses connections.")
        .causes(&["The server behind is down, or blocks Cloudflare"])
        .action("Repeat idempotent calls with backoff."),
    SERVER
        .transient()
        .code("HTTP_522", "Cloudflare: no connection to the server behind within the limit.")
        .causes(&["The server behind is overloaded or a firewall drops packets"])
        .action("Repeat idempotent calls with backoff."),
    SERVER
        .transient()
        .code("HTTP_523", "Cloudflare: the server behind is unreachable.")
        .causes(&["A routing or DNS problem behind Cloudflare"])
        .action("Repeat idempotent calls with backoff."),
    SERVER
        .transient()
        .code("HTTP_524", "Cloudflare: the server behind took the request and did not answer in time.")
        .causes(&["A request that takes longer than 100 seconds"])
        .action("Repeat idempotent calls with backoff. The server behind may still be working."),
    SERVER
        .code("HTTP_525", "Cloudflare: the TLS handshake with the server behind failed.")
        .causes(&["The TLS configuration of the server behind"])
        .action("Correct the server behind Cloudflare."),
    SERVER
        .code("HTTP_526", "Cloudflare: the certificate of the server behind is not valid.")
        .causes(&["An expired or self-signed certificate behind Cloudflare"])
        .action("Renew the certificate of the server behind Cloudflare."),
    SERVER
        .transient()
        .code("HTTP_529", "The service is overloaded.")
        .causes(&["More calls than the service can take now"])
        .action("Repeat idempotent calls with backoff, and send fewer calls at once."),
    SERVER
        .transient()
        .code("HTTP_530", "Cloudflare could not resolve or reach the server behind.")
        .causes(&["A DNS problem behind Cloudflare", "The site is frozen"])
        .action("Repeat idempotent calls with backoff."),
    SERVER
        .code("HTTP_5XX", "The server failed.")
        .causes(&["Something on the server"])
        .action("Ask who runs the server."),
    Entry::of(Kind::Unknown, Phase::Receive, Delivery::Answered)
        .code("HTTP_2XX", "The status is not a failure.")
        .causes(&["A response below 400 was classified as if it were a fault"])
        .action("Check the status before you classify a response."),
];
