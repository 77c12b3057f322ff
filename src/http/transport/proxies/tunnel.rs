//! A way through a proxy: `CONNECT` (RFC 9110, section 9.3.6).
//!
//! Until the proxy has agreed, nothing of the request has left, so whatever goes wrong here is `not-sent` and even a
//! POST may be repeated. Whether that is worth anything is in the status: 503 may pass, 407 does not, and the connectors
//! at hand tell neither. That is why this one exists.

use std::io;

use ::http::HeaderMap;
use ::http::header::RETRY_AFTER;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::fault::{Delivery, Ending, Fault, Kind, Phase, RetryAfter};

/// The longest head of an answer, as Node reads.
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 256;

/// Asks the proxy at the other end of `stream` for a tunnel to `authority`, `host:port`. When it returns, what is written
/// arrives there.
///
/// # Errors
/// The proxy refuses, ends the connection, or does not speak HTTP.
pub async fn open<S>(stream: &mut S, authority: &str, headers: &HeaderMap) -> Result<(), TunnelFailed>
where
    S: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    stream.write_all(&request(authority, headers)).await?;
    stream.flush().await?;
    let mut head = Vec::with_capacity(512);
    loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(TunnelFailed::Cut);
        }
        while let Some((length, answer)) = parse(&head)? {
            match answer.status {
                // An interim response; the proxy's own answer follows.
                100..=199 => drop(head.drain(..length)),
                // The server behind the tunnel waits for the ClientHello: these bytes are the proxy's.
                200..=299 if head.len() > length => return Err(TunnelFailed::Malformed),
                200..=299 => return Ok(()),
                _ => return Err(TunnelFailed::Refused(answer)),
            }
        }
        if head.len() > MAX_HEAD {
            return Err(TunnelFailed::Malformed);
        }
    }
}

fn request(authority: &str, headers: &HeaderMap) -> Vec<u8> {
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n").into_bytes();
    for (name, value) in headers {
        request.extend_from_slice(name.as_str().as_bytes());
        request.extend_from_slice(b": ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

/// The length of the head and what it says, once it is complete.
fn parse(bytes: &[u8]) -> Result<Option<(usize, Answer)>, TunnelFailed> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(TunnelFailed::Malformed),
    };
    let status = response.code.ok_or(TunnelFailed::Malformed)?;
    let phrase = response.reason.unwrap_or_default().to_owned();
    let retry_after = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(RETRY_AFTER.as_str()));
    let retry_after = retry_after.and_then(|header| RetryAfter::parse(std::str::from_utf8(header.value).ok()?));
    Ok(Some((length, Answer { status, phrase, retry_after })))
}

/// What a proxy said to `CONNECT`.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    phrase: String,
    retry_after: Option<RetryAfter>,
}

/// No tunnel came about.
#[derive(Debug, thiserror::Error)]
pub enum TunnelFailed {
    #[error("the proxy answered CONNECT with {} {}", .0.status, .0.phrase)]
    Refused(Answer),
    #[error("the proxy ended the connection before it answered CONNECT")]
    Cut,
    #[error("the proxy's answer to CONNECT is not HTTP")]
    Malformed,
    #[error("the connection to the proxy broke before it answered CONNECT")]
    Io(#[from] io::Error),
}

impl TunnelFailed {
    pub fn fault(&self) -> Fault {
        let fault = Fault::new("ERR_PROXY_TUNNEL", Phase::Handshake, Delivery::NotSent);
        match self {
            TunnelFailed::Refused(answer) => answer.fault(fault),
            TunnelFailed::Cut => fault.with_ending(Ending::Fin).with_reason(CUT),
            TunnelFailed::Malformed => Fault { transient: false, ..fault }
                .with_reason("The proxy's answer to CONNECT is not HTTP. Is a proxy listening there?"),
            TunnelFailed::Io(error) => broken(error),
        }
    }
}

/// The fault of a connection to a proxy that broke before there was a tunnel.
pub(super) fn broken(error: &io::Error) -> Fault {
    let seen = Fault::from_io(error, Phase::Handshake, Delivery::NotSent);
    let reason = match seen.ending {
        Some(_) => CUT.into(),
        None => format!("The connection to the proxy failed before it had opened a tunnel: {}.", seen.code),
    };
    let fault = Fault::new("ERR_PROXY_TUNNEL", Phase::Handshake, Delivery::NotSent);
    Fault { ending: seen.ending, errno: seen.errno, ..fault }.with_syscall("read").with_reason(reason)
}

const CUT: &str = "The proxy closed the connection before it had opened a tunnel to the server.";

impl Answer {
    fn fault(&self, fault: Fault) -> Fault {
        let status = self.status;
        // What a server's status says about a later try, a proxy's says too.
        let stands_for = Fault::from_status(status, self.retry_after);
        let reason = match status {
            407 => "The proxy wants credentials and was given none, or wrong ones (407).".into(),
            _ => format!("The proxy did not open a tunnel to the server: it answered CONNECT with {status}."),
        };
        Fault {
            kind: if stands_for.kind == Kind::Client { Kind::Client } else { fault.kind },
            transient: stands_for.transient,
            status: Some(status),
            retry_after: self.retry_after,
            ..fault
        }
        .with_reason(reason)
    }
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;
    use ::http::header::PROXY_AUTHORIZATION;
    use tokio::io::duplex;

    use super::*;

    /// What comes of an answer, and what the proxy read.
    async fn answered(pieces: &[&[u8]], close: bool) -> (Result<(), TunnelFailed>, String) {
        let (mut ours, mut proxy) = duplex(64 * 1024);
        for piece in pieces {
            proxy.write_all(piece).await.unwrap();
        }
        if close {
            proxy.shutdown().await.unwrap();
        }
        let headers = HeaderMap::from_iter([(PROXY_AUTHORIZATION, HeaderValue::from_static("Basic c2VjcmV0"))]);
        let opened = open(&mut ours, "[::1]:443", &headers).await;
        drop(ours);
        let mut read = String::new();
        proxy.read_to_string(&mut read).await.unwrap();
        (opened, read)
    }

    async fn fault(answer: &[u8]) -> Fault {
        answered(&[answer], true).await.0.unwrap_err().fault()
    }

    #[tokio::test]
    async fn the_proxy_is_asked_with_its_own_headers() {
        let (opened, read) = answered(&[b"HTTP/1.1 200 Connection established\r\n\r\n"], false).await;
        assert!(opened.is_ok());
        assert_eq!(
            read,
            "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nproxy-authorization: Basic c2VjcmV0\r\n\r\n"
        );
    }

    #[tokio::test]
    async fn any_2xx_opens_the_tunnel_and_an_interim_response_is_passed_over() {
        for pieces in [
            &[&b"HTTP/1.0 200 OK\r\nvia: x\r\ncontent-length: 5\r\n\r\n"[..]][..],
            &[b"HTTP/1.1 204 No Content\r\n\r\n"],
            &[b"HTTP/1.1 2", b"00 OK\r\n", b"\r\n"],
            &[b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"],
        ] {
            assert!(answered(pieces, false).await.0.is_ok(), "{pieces:?}");
        }
    }

    #[tokio::test]
    async fn a_refusal_tells_its_status_and_is_transient_as_that_is() {
        for (status, transient, kind) in [
            (302, false, Kind::Unreachable),
            (400, false, Kind::Client),
            (403, false, Kind::Client),
            (407, false, Kind::Client),
            (429, true, Kind::Unreachable),
            (500, true, Kind::Unreachable),
            (501, false, Kind::Unreachable),
            (502, true, Kind::Unreachable),
            (503, true, Kind::Unreachable),
            (504, true, Kind::Unreachable),
        ] {
            let fault = fault(format!("HTTP/1.1 {status} No\r\nretry-after: 7\r\n\r\n").as_bytes()).await;
            assert_eq!((&*fault.code, fault.delivery), ("ERR_PROXY_TUNNEL", Delivery::NotSent));
            assert_eq!((fault.status, fault.transient, fault.kind), (Some(status), transient, kind));
            assert_eq!(fault.retry_after, RetryAfter::parse("7"));
            assert!(fault.reason.contains("proxy") && fault.reason.contains(&status.to_string()), "{}", fault.reason);
        }
    }

    #[tokio::test]
    async fn a_proxy_that_closes_has_opened_nothing() {
        for begun in [&b""[..], b"HTTP/1.1 200 OK\r\nvia:"] {
            let fault = fault(begun).await;
            assert_eq!((&*fault.code, fault.ending, fault.transient), ("ERR_PROXY_TUNNEL", Some(Ending::Fin), true));
            assert_eq!((fault.phase, fault.delivery), (Phase::Handshake, Delivery::NotSent));
        }
        let broken = TunnelFailed::Io(io::ErrorKind::ConnectionReset.into()).fault();
        assert_eq!((&*broken.code, broken.ending), ("ERR_PROXY_TUNNEL", Some(Ending::Rst)));
        assert!(broken.transient && broken.reason == CUT);
    }

    #[tokio::test]
    async fn what_is_not_http_is_not_tried_again() {
        let endless = [b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'x'; MAX_HEAD]].concat();
        for answer in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"HTTP/1.1 200 OK\r\n\r\nHELLO", &endless] {
            let fault = fault(answer).await;
            assert_eq!((&*fault.code, fault.transient), ("ERR_PROXY_TUNNEL", false));
        }
    }
}
