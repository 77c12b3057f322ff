//! What the system's resolver says of a name that it cannot resolve, as Node names it.
//!
//! The standard library turns the code of a failed `getaddrinfo` into a sentence, so whoever resolves a name asks
//! `dns-lookup` instead and has its answer named here.

use dns_lookup::LookupErrorKind;

/// Node's code and what libuv gives it (`uv.h`), where it has a number.
pub fn node_code(kind: LookupErrorKind) -> (&'static str, Option<i32>) {
    match kind {
        // Node reports EAI_NONAME and EAI_NODATA as ENOTFOUND (`lib/internal/errors.js`, DNSException).
        LookupErrorKind::NoName | LookupErrorKind::NoData => ("ENOTFOUND", Some(-3008)),
        LookupErrorKind::Again => ("EAI_AGAIN", Some(-3001)),
        LookupErrorKind::Fail => ("EAI_FAIL", Some(-3004)),
        LookupErrorKind::Memory => ("EAI_MEMORY", Some(-3006)),
        LookupErrorKind::Family => ("EAI_FAMILY", Some(-3005)),
        LookupErrorKind::Badflags => ("EAI_BADFLAGS", Some(-3002)),
        LookupErrorKind::Service => ("EAI_SERVICE", Some(-3010)),
        LookupErrorKind::Socktype => ("EAI_SOCKTYPE", Some(-3011)),
        LookupErrorKind::System | LookupErrorKind::Unknown | LookupErrorKind::IO => ("EAI_FAIL", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_names_and_silent_name_servers_are_told_apart() {
        assert_eq!(node_code(LookupErrorKind::NoName).0, "ENOTFOUND");
        assert_eq!(node_code(LookupErrorKind::NoData).0, "ENOTFOUND");
        assert_eq!(node_code(LookupErrorKind::Again), ("EAI_AGAIN", Some(-3001)));
    }
}
