//! What an error of reqwest proves.
//!
//! The chain of causes is walked by type, never by text. It goes reqwest -> hyper-util -> hyper -> the I/O error
//! or rustls, and each layer knows something that the others do not: hyper-util whether a connection was handed
//! to the request, hyper whether the request was ever written, the system how the connection ended.

use std::error::Error;
use std::io;
use std::iter::successors;
use std::net::SocketAddr;

use ::http::Extensions;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpInfo;

use super::connector::Sight;
use super::reuse::Ends;
use crate::fault::{Delivery, Ending, Fault, Phase};
use crate::http::transport::lookup::LookupFailed;
use crate::http::transport::tls::codes;
use crate::http::transport::upload::UploadFailed;

/// What was found in the chain below a reqwest error.
pub(super) struct Evidence<'a> {
    error: &'a reqwest::Error,
    client: Option<&'a legacy::Error>,
    hyper: Option<&'a hyper::Error>,
    resolve: Option<&'a LookupFailed>,
    tls: Option<&'a rustls::Error>,
    io: Option<&'a io::Error>,
    upload: Option<&'a UploadFailed>,
    /// Of the connection on which it happened.
    pub ends: Option<Ends>,
}

impl<'a> Evidence<'a> {
    pub fn of(error: &'a reqwest::Error) -> Self {
        let mut found =
            Evidence { error, client: None, hyper: None, resolve: None, tls: None, io: None, upload: None, ends: None };
        for cause in causes(error) {
            if let Some(client) = cause.downcast_ref::<legacy::Error>() {
                found.ends = ends_of(client);
                found.client = Some(client);
            } else if let Some(hyper) = cause.downcast_ref() {
                // The outermost one: hyper says "canceled" around the cause of that.
                found.hyper = found.hyper.or(Some(hyper));
            } else if let Some(io) = cause.downcast_ref::<io::Error>() {
                // The innermost one that the system or hyper made; others only carry an error from further down.
                if io.get_ref().is_none_or(|inner| below(inner).is_none()) {
                    found.io = Some(io);
                }
            } else if let Some(tls) = cause.downcast_ref() {
                found.tls = found.tls.or(Some(tls));
            } else if let Some(resolve) = cause.downcast_ref() {
                found.resolve = Some(resolve);
            } else if let Some(upload) = cause.downcast_ref() {
                found.upload = Some(upload);
            }
        }
        found
    }

    /// The fault of an exchange that brought no response.
    pub fn before_answer(&self, sight: Sight, port: Option<u16>, sent_all: bool) -> Fault {
        let (phase, delivery) = self.reached(sight, sent_all);
        let mut fault = self.cause(phase, delivery);
        if fault.address.is_none() {
            let peer = self.ends.map(|ends| ends.remote).or(sight.peer).or_else(|| refuser(self.error));
            fault.address = peer.map(|peer| peer.ip().to_string());
        }
        fault.port = port;
        fault.syscall = fault.syscall.or(match (&*fault.code, phase) {
            ("EPIPE", _) => Some("write".into()),
            (_, Phase::Connect) if self.io.is_some() => Some("connect".into()),
            ("ECONNRESET", Phase::Wait) => Some("read".into()),
            _ => None,
        });
        self.detailed(fault)
    }

    /// The fault of a response body that broke off.
    pub fn in_body(&self) -> Fault {
        let (phase, delivery) = (Phase::Receive, Delivery::Answered);
        let fault = match (self.tls, self.io) {
            (Some(_), _) => self.cause(phase, delivery),
            // hyper's words for a chunk that does not begin with its size.
            (None, Some(io)) if matches!(io.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
                Fault::new("HPE_INVALID_CHUNK_SIZE", phase, delivery)
            }
            (None, Some(io)) => Fault::from_io(io, phase, delivery).with_syscall("read"),
            (None, None) if self.hyper.is_some_and(hyper::Error::is_incomplete_message) => {
                Fault::new("ECONNRESET", phase, delivery).with_ending(Ending::Fin)
            }
            // "connection error" and no cause: an upload's write failed while the response was streaming.
            (None, None) => Fault::new("ECONNRESET", phase, delivery),
        };
        self.detailed(fault)
    }

    /// How far the exchange had come, and what of it the server can have seen.
    fn reached(&self, sight: Sight, sent_all: bool) -> (Phase, Delivery) {
        if self.resolve.is_some() {
            return (Phase::Resolve, Delivery::NotSent);
        }
        if self.error.is_builder() {
            return (Phase::Connect, Delivery::NotSent);
        }
        // hyper-util notes the connection on every error that struck after it gave the request one.
        if self.client.is_some_and(|client| client.connect_info().is_none()) {
            let phase = if self.tls.is_some() { Phase::Handshake } else { sight.stage };
            return (phase, Delivery::NotSent);
        }
        match self.hyper {
            // hyper says this only of a request that it hands back unwritten (`TrySendError::message`).
            Some(hyper) if hyper.is_canceled() => (Phase::Send, Delivery::NotSent),
            // Bytes came, but perhaps before the server had read the request: SSH greets whoever connects.
            Some(hyper) if hyper.is_parse() => (Phase::Receive, Delivery::Unknown),
            _ if sent_all => (Phase::Wait, Delivery::Unknown),
            _ => (Phase::Send, Delivery::Unknown),
        }
    }

    fn cause(&self, phase: Phase, delivery: Delivery) -> Fault {
        if let Some(failed) = self.resolve {
            return failed.fault(phase, delivery);
        }
        if let Some(upload) = self.upload {
            return upload.fault(phase, delivery);
        }
        if let Some(tls) = self.tls {
            return Fault::new(codes::code(tls), phase, delivery);
        }
        if let Some(io) = self.io {
            return Fault::from_io(io, phase, delivery);
        }
        if self.error.is_builder() {
            return Fault::new("ERR_INVALID_URL", phase, delivery);
        }
        if self.error.is_timeout() {
            return Fault::new("ETIMEDOUT", phase, delivery);
        }
        match self.hyper {
            Some(hyper) if hyper.is_incomplete_message() => {
                Fault::new("ECONNRESET", phase, delivery).with_ending(Ending::Fin)
            }
            Some(hyper) if hyper.is_parse_status() => Fault::new("HPE_INVALID_STATUS", phase, delivery),
            // Too large or too many. One thing besides: a Content-Length that is one of the last two of a `u64`.
            Some(hyper) if hyper.is_parse_too_large() => Fault::new("HPE_HEADER_OVERFLOW", phase, delivery),
            Some(hyper) if hyper.is_parse() => Fault::new("HPE_INVALID_CONSTANT", phase, delivery),
            Some(hyper) if hyper.is_canceled() || hyper.is_closed() => Fault::new("ECONNRESET", phase, delivery),
            _ => Fault::new("UNKNOWN", phase, delivery),
        }
    }

    fn detailed(&self, mut fault: Fault) -> Fault {
        // Without the reqwest errors themselves: they name the URL, and URLs carry secrets.
        let mut lines: Vec<String> = Vec::new();
        for cause in causes(self.error).filter(|cause| !cause.is::<reqwest::Error>()) {
            let line = cause.to_string();
            // An I/O error repeats the words of the error it carries.
            if lines.last() != Some(&line) {
                lines.push(line);
            }
        }
        fault.detail = (!lines.is_empty()).then(|| lines.join(": "));
        fault
    }
}

fn ends_of(client: &legacy::Error) -> Option<Ends> {
    let mut extras = Extensions::new();
    client.connect_info()?.get_extras(&mut extras);
    extras.get::<HttpInfo>().map(Ends::of)
}

/// Of several addresses that failed, the one whose error was kept. hyper-util notes it in an error that has no public
/// type and shows it in `Debug` alone; what does not read as an address there is none.
fn refuser(error: &(dyn Error + 'static)) -> Option<SocketAddr> {
    causes(error).find_map(|cause| {
        let shown = format!("{cause:?}");
        shown.strip_prefix("ConnectError(")?.split(", ").nth(1)?.parse().ok()
    })
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    // No chain here is as long; a cyclic one would have no end.
    successors(Some(error), |error| below(*error)).take(32)
}

/// The next error down. `io::Error::source` skips the error that it carries and goes on below it.
fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(carried) => Some(carried),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::super::connector::Watched;
    use super::*;
    use crate::http::transport::tls;

    #[tokio::test]
    async fn of_several_addresses_that_refuse_the_one_whose_error_was_kept_is_told() {
        // Given out by the system and taken back: nobody listens there.
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let addresses = [([127, 0, 0, 1], port).into(), ([127, 0, 0, 2], port).into()];
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_backend_preconfigured(tls::config(&Default::default(), || {}).unwrap())
            .connector_layer(Watched)
            .resolve_to_addrs("several.test", &addresses)
            .build()
            .unwrap();
        let error = client.get(format!("http://several.test:{port}/")).send().await.unwrap_err();
        let fault = Evidence::of(&error).before_answer(Sight::new(None), Some(port), true);
        assert_eq!((&*fault.code, fault.delivery), ("ECONNREFUSED", Delivery::NotSent));
        assert_eq!((fault.address.as_deref(), fault.port), (Some("127.0.0.1"), Some(port)));
    }

    #[test]
    fn what_an_io_error_carries_is_not_skipped() {
        let carried = io::Error::other(io::Error::from(io::ErrorKind::ConnectionReset));
        let kinds: Vec<_> =
            causes(&carried).filter_map(|cause| Some(cause.downcast_ref::<io::Error>()?.kind())).collect();
        assert_eq!(kinds, [io::ErrorKind::Other, io::ErrorKind::ConnectionReset]);
    }
}
