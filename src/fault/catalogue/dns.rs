//! Names that did not resolve. Nothing was sent: any call may be repeated.

use super::{Entry, Family};
use crate::fault::{Delivery, Kind, Phase};

pub(super) const FAMILY: Family = Family {
    title: "Names (DNS)",
    introduction: "The host name did not resolve, so nothing was sent and any call may be repeated. The codes that begin \
                   with `EAI_` come from the system's resolver (`dns.lookup`, which every HTTP client uses), the others \
                   from `dns.resolve`.",
    entries: ENTRIES,
};

/// The resolver may answer otherwise in a moment.
const LATER: Entry = Entry::of(Kind::Dns, Phase::Resolve, Delivery::NotSent).transient().reconnect();
/// It will not.
const NEVER: Entry = Entry::of(Kind::Dns, Phase::Resolve, Delivery::NotSent);

const ENTRIES: &[Entry] = &[
    LATER
        .code("ENOTFOUND", "The host name does not exist, or its name server could not be reached.")
        .causes(&[
            "The name is misspelled, or belongs to another network (VPN, cluster)",
            "This computer is offline: the system resolver does not tell the difference",
            "A service was just created and its name is not known everywhere yet",
        ])
        .action("Check the name (`getent hosts <name>`). A short retry helps with new services; a name that never resolved will not."),
    LATER
        .code("EAI_AGAIN", "The name server did not answer; the name may well exist.")
        .causes(&["The name server is overloaded or unreachable", "Too many lookups at once in a container", "No network yet at boot"])
        .action("Retry with backoff. If it is frequent, cache lookups or repair the name server."),
    LATER
        .code("EAI_FAIL", "The name server failed to answer for this name.")
        .causes(&["The zone is broken (DNSSEC, delegation)", "The name server is misconfigured"])
        .action("Retry with backoff; if it persists, ask who runs the zone."),
    LATER
        .code("EAI_NODATA", "The name exists and has no address.")
        .causes(&["It has only IPv6 addresses and IPv4 was asked for, or the other way round", "It has only MX or TXT records"])
        .action("Check the `family` option and the records of the name."),
    LATER
        .code("EAI_NONAME", "The host name does not exist.")
        .becomes("ENOTFOUND")
        .causes(&["The name is misspelled, or belongs to another network"])
        .action("As ENOTFOUND."),
    LATER
        .code("EAI_MEMORY", "The resolver ran out of memory.")
        .causes(&["The process or container is short of memory"])
        .action("Give it more memory, or make fewer calls at once."),
    NEVER
        .code("EAI_ADDRFAMILY", "The host has no address of the family that was asked for.")
        .causes(&["`family: 6` for a host with IPv4 only, or the other way round"])
        .action("Leave `family` at 0."),
    NEVER
        .code("EAI_FAMILY", "This computer does not support the address family that was asked for.")
        .causes(&["IPv6 is switched off"])
        .action("Leave `family` at 0."),
    NEVER
        .code("EAI_SERVICE", "The port is not valid for this kind of socket.")
        .causes(&["A service name instead of a port number"])
        .action("Use a port number."),
    NEVER
        .code("EAI_SOCKTYPE", "The kind of socket is not supported.")
        .causes(&["Invalid hints for the lookup"])
        .action("Use `dns.lookup` without hints."),
    NEVER
        .code("EAI_BADFLAGS", "The lookup was called with invalid flags.")
        .causes(&["Invalid `hints`"])
        .action("Correct the hints."),
    NEVER
        .code("EAI_BADHINTS", "The lookup was called with invalid hints.")
        .causes(&["Invalid `hints`"])
        .action("Correct the hints."),
    NEVER
        .code("EAI_OVERFLOW", "The host name is too long.")
        .causes(&["A path or a whole URL was used as host name"])
        .action("Use the host name alone."),
    NEVER
        .code("EAI_PROTOCOL", "The resolver does not know the protocol that was asked for.")
        .causes(&["Invalid hints for the lookup"])
        .action("Use `dns.lookup` without hints."),
    NEVER
        .code("EAI_CANCELED", "The lookup was cancelled.")
        .causes(&["The program is shutting down"])
        .action("Nothing, if that was intended."),
    LATER
        .code("ESERVFAIL", "The name server failed.")
        .causes(&["The zone is broken", "The name server cannot reach the servers above it"])
        .action("Retry with backoff; if it persists, ask who runs the zone."),
    LATER
        .code("ETIMEOUT", "The name server did not answer in time.")
        .becomes("ETIMEDOUT")
        .kind(Kind::Timeout)
        .causes(&["The name server is overloaded or unreachable"])
        .action("Retry with backoff, or ask another name server."),
    LATER
        .code("EREFUSED", "The name server refused to answer.")
        .causes(&["The name server does not serve this client", "A rate limit"])
        .action("Ask another name server."),
    LATER
        .code("ENODATA", "The name exists and has no record of the type that was asked for.")
        .causes(&["`dns.resolve6` for a host with IPv4 only"])
        .action("Ask for another record type."),
    LATER
        .code("EBADRESP", "The answer of the name server could not be read.")
        .causes(&["A broken name server, or a middlebox that rewrites answers"])
        .action("Ask another name server."),
    NEVER
        .code("EFORMERR", "The name server found the question malformed.")
        .causes(&["A middlebox or an old name server"])
        .action("Ask another name server."),
    NEVER
        .code("ENOTIMP", "The name server does not know this kind of question.")
        .causes(&["A record type that the server does not implement"])
        .action("Ask another name server."),
    NEVER
        .code("EBADNAME", "The host name is malformed.")
        .causes(&["A space, an empty label, or a label of more than 63 characters"])
        .action("Correct the name."),
    NEVER
        .code("EBADQUERY", "The question to the name server was malformed.")
        .causes(&["An invalid name or record type"])
        .action("Correct the name."),
    NEVER
        .code("ECANCELLED", "The lookup was cancelled.")
        .causes(&["`resolver.cancel()` was called"])
        .action("Nothing, if that was intended."),
    NEVER
        .code("ERR_DNS_SET_SERVERS_FAILED", "The list of name servers could not be set.")
        .causes(&["An invalid address in `dns.setServers`"])
        .action("Correct the list."),
];
