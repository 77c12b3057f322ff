//! What every transport says of a proxy on the way.

use ::http::HeaderMap;
use ::http::header::PROXY_AUTHORIZATION;

use crate::fault::{Delivery, Fault, Phase};

/// A fault of a request that has credentials for a proxy: in a tunnel it would be the server that reads the password.
pub(in crate::http::transport) fn misplaced_credentials(headers: &HeaderMap) -> Option<Fault> {
    headers.contains_key(PROXY_AUTHORIZATION).then(|| {
        Fault::new("ERR_PROXY_INVALID_CONFIG", Phase::Send, Delivery::NotSent).with_reason(
            "The request has a Proxy-Authorization header. Credentials for a proxy belong into the proxy option, where no \
             server can read them.",
        )
    })
}

/// Of a connection to the proxy itself.
pub(crate) fn unreachable(mut fault: Fault) -> Fault {
    fault.reason = format!("The proxy could not be reached. {}", fault.reason).into();
    fault
}

/// Of a connection that did not come about in time: whose fault that is, the proxy's or the server's, is not known.
pub(in crate::http::transport) fn not_through_in_time(mut fault: Fault) -> Fault {
    fault.reason = format!("{} It was to be made through a proxy.", fault.reason).into();
    fault
}
