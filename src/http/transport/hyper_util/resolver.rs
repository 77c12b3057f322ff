//! hyper-util's resolver, so that an exchange sees when its name is being resolved.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

use super::connector;
use crate::http::transport::lookup::{Lookup, LookupFailed};

#[derive(Clone)]
pub(super) struct Resolver {
    pub lookup: Arc<dyn Lookup>,
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = LookupFailed;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, LookupFailed>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), LookupFailed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let lookup = Arc::clone(&self.lookup);
        Box::pin(async move {
            connector::resolving();
            // hyper-util puts the port of the URL in the place of this one.
            let addresses: Vec<SocketAddr> =
                lookup.lookup(name.as_str()).await?.iter().map(|&ip| SocketAddr::new(ip, 0)).collect();
            let only = match addresses[..] {
                [address] => Some(address),
                _ => None,
            };
            connector::resolved(only);
            Ok(addresses.into_iter())
        })
    }
}
