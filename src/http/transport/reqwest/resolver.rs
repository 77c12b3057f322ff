//! reqwest's resolver, so that an exchange sees when its name is being resolved.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::connector;
use crate::http::transport::lookup::Lookup;

#[derive(Clone)]
pub(super) struct Resolver {
    pub lookup: Arc<dyn Lookup>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let lookup = Arc::clone(&self.lookup);
        Box::pin(async move {
            connector::resolving();
            // reqwest puts the port of the URL in the place of a 0.
            let addresses: Vec<SocketAddr> =
                lookup.lookup(name.as_str()).await?.iter().map(|&ip| SocketAddr::new(ip, 0)).collect();
            let only = match addresses[..] {
                [address] => Some(address),
                _ => None,
            };
            connector::resolved(only);
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
