//! How a request names its target: by path and `Host` header in HTTP/1.1, by a whole URL in HTTP/2.

use ::http::header::HOST;
use ::http::uri::{Authority, Parts, PathAndQuery, Scheme};
use ::http::{HeaderValue, Request, Uri, Version};
use bytes::Bytes;
use url::{Position, Url};

use super::origins::Origin;

/// Path and query. `None`: the standard for URLs allows more than HTTP does.
pub(super) fn target(url: &Url) -> Option<Uri> {
    let target = Bytes::copy_from_slice(url[Position::BeforePath..Position::AfterQuery].as_bytes());
    Uri::from_maybe_shared(target).ok()
}

/// For HTTP/1.1: the path to a server, the whole URL to a proxy that passes the request on (RFC 9112, sections 3.2.1 and
/// 3.2.2).
pub(super) fn of_origin<B>(request: &mut Request<B>, origin: &Origin) {
    if request.version() == Version::HTTP_2 {
        // It was to go over the other kind of connection before, which took its `Host`.
        let host = request.uri().authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
        if let Some(host) = host {
            request.headers_mut().insert(HOST, host);
        }
        let mut parts = Parts::default();
        parts.path_and_query = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    }
    *request.version_mut() = Version::HTTP_11;
    if let (Some(via), None) = (&origin.via, &origin.secure) {
        via.tell(request.headers_mut());
        let mut parts = Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Authority::try_from(origin.authority.as_bytes()).ok();
        parts.path_and_query = request.uri().path_and_query().cloned();
        // Its parts are those of a URL: they fit.
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    request.headers_mut().entry(HOST).or_insert_with(|| origin.authority.clone());
}

/// For HTTP/2 (RFC 9113, section 8.3.1): `:authority` takes the place of `Host`.
pub(super) fn of_stream<B>(request: &mut Request<B>, origin: &Origin) {
    if request.version() == Version::HTTP_2 {
        return;
    }
    let host = request.headers_mut().remove(HOST);
    let authority = host.as_ref().unwrap_or(&origin.authority);
    let mut parts = Parts::default();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = Authority::try_from(authority.as_bytes()).ok();
    parts.path_and_query =
        Some(request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/")));
    // A `Host` of the caller's that names no host: HTTP/2 has no place for it.
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    *request.version_mut() = Version::HTTP_2;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::http::transport::direct::origins::Origins;
    use crate::http::transport::options::TransportOptions;

    #[test]
    fn a_request_that_goes_over_the_other_kind_of_connection_after_all_is_what_it_was() {
        let origins = Origins::new(&TransportOptions::default(), Arc::default());
        let Ok(origin) = origins.find(&Url::parse("https://a.test/").unwrap()) else { panic!("it has a host") };
        for host in [None, Some("b.test")] {
            let mut request = Request::builder().uri("/x?y");
            if let Some(host) = host {
                request = request.header(HOST, host);
            }
            let mut request = request.body(()).unwrap();
            let host = host.unwrap_or("a.test");
            of_origin(&mut request, &origin);
            assert_eq!(request.uri(), "/x?y");
            assert_eq!(request.headers()[HOST], host);
            of_stream(&mut request, &origin);
            assert_eq!(request.uri(), &*format!("https://{host}/x?y"));
            assert!(request.headers().is_empty());
            of_origin(&mut request, &origin);
            assert_eq!(request.uri(), "/x?y");
            assert_eq!(request.headers()[HOST], host);
        }
    }
}
