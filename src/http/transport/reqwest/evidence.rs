//! What an error of reqwest proves.
//!
//! The chain of causes is walked by type, never by text. It goes reqwest -> hyper-util -> hyper -> the I/O error
//! or rustls, and each layer knows something that the others do not: hyper-util whether a connection was handed
//! to the request, hyper whether the request was ever written, the system how the connection ended.

use std::error::Error;
use std::net::SocketAddr;

use ::http::Extensions;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpInfo;

use super::connector::Sight;
use super::reuse::Ends;
use super::way::Way;
use crate::fault::{Delivery, Fault, Phase};
use crate::http::transport::causes::{self, Causes, causes};
use crate::http::transport::proxies;
use crate::http::transport::proxies::socks::{self, SocksError};

/// What was found in the chain below a reqwest error.
pub(super) struct Evidence<'a> {
    error: &'a reqwest::Error,
    client: Option<&'a legacy::Error>,
    causes: Causes<'a>,
    socks: Option<&'a SocksError>,
    /// Of the connection on which it happened.
    pub ends: Option<Ends>,
}

impl<'a> Evidence<'a> {
    pub fn of(error: &'a reqwest::Error) -> Self {
        let client = causes(error).find_map(|cause| cause.downcast_ref::<legacy::Error>());
        let socks = causes(error).find_map(|cause| cause.downcast_ref());
        Evidence { error, client, causes: Causes::of(error), socks, ends: client.and_then(ends_of) }
    }

    /// The fault of an exchange that brought no response.
    pub fn before_answer(&self, sight: Sight, way: &Way<'_>, sent_all: bool) -> Fault {
        let (phase, delivery) = self.reached(sight, sent_all);
        let said = self.socks.and_then(socks::fault);
        let mut fault = said.or_else(|| self.causes.fault(phase, delivery)).unwrap_or_else(|| {
            let code = match self.error {
                error if error.is_builder() => "ERR_INVALID_URL",
                error if error.is_timeout() => "ETIMEDOUT",
                _ => "UNKNOWN",
            };
            Fault::new(code, phase, delivery)
        });
        if fault.address.is_none() {
            let peer = self.ends.map(|ends| ends.remote).or(sight.peer).or_else(|| refuser(self.error));
            fault.address = peer.map(|peer| peer.ip().to_string());
        }
        // The name of a server that a proxy is to connect to.
        let server_unresolved = self.causes.lookup.is_some() && self.socks.is_none();
        fault.port = if server_unresolved { way.port } else { way.next_port() };
        fault.syscall = fault.syscall.or(match fault.phase {
            Phase::Connect if self.causes.io.is_some() => Some("connect".into()),
            _ => causes::syscall(&fault.code, fault.phase).map(Into::into),
        });
        let fault = self.detailed(fault);
        match (way.via, self.socks) {
            (Some(_), Some(SocksError::Inner(_))) => proxies::unreachable(fault),
            (Some(_), None) if delivery == Delivery::NotSent && self.error.is_timeout() => {
                proxies::not_through_in_time(fault)
            }
            _ => fault,
        }
    }

    /// The fault of a response body that broke off.
    pub fn in_body(&self) -> Fault {
        self.detailed(self.causes.in_body())
    }

    /// How far the exchange had come, and what of it the server can have seen.
    fn reached(&self, sight: Sight, sent_all: bool) -> (Phase, Delivery) {
        if self.causes.lookup.is_some() {
            return (Phase::Resolve, Delivery::NotSent);
        }
        if self.error.is_builder() {
            return (Phase::Connect, Delivery::NotSent);
        }
        // hyper-util notes the connection on every error that struck after it gave the request one.
        if self.client.is_some_and(|client| client.connect_info().is_none()) {
            let phase = if self.causes.tls.is_some() { Phase::Handshake } else { sight.stage };
            return (phase, Delivery::NotSent);
        }
        match self.causes.hyper {
            // hyper says this only of a request that it hands back unwritten (`TrySendError::message`).
            Some(hyper) if hyper.is_canceled() => (Phase::Send, Delivery::NotSent),
            // Bytes came, but perhaps before the server had read the request: SSH greets whoever connects.
            Some(hyper) if hyper.is_parse() => (Phase::Receive, Delivery::Unknown),
            _ if sent_all => (Phase::Wait, Delivery::Unknown),
            _ => (Phase::Send, Delivery::Unknown),
        }
    }

    fn detailed(&self, mut fault: Fault) -> Fault {
        // Without the reqwest errors themselves: they name the URL, and URLs carry secrets.
        fault.detail = causes::details(self.error, |cause| cause.is::<reqwest::Error>());
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
        let way = Way { via: None, port: Some(port) };
        let fault = Evidence::of(&error).before_answer(Sight::new(None), &way, true);
        assert_eq!((&*fault.code, fault.delivery), ("ECONNREFUSED", Delivery::NotSent));
        assert_eq!((fault.address.as_deref(), fault.port), (Some("127.0.0.1"), Some(port)));
    }
}
