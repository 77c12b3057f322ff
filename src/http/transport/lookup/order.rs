//! The order in which the addresses of a name are tried.
//!
//! Node lets a program prefer one family (`--dns-result-order`, `dns.setDefaultResultOrder`), and many do, because a
//! server on `localhost` listens on `127.0.0.1` alone or because a network advertises IPv6 that does not work. The
//! built-in fetch follows it; a client that did not would fail where that one works.

use std::net::IpAddr;

use super::{Lookup, LookupFuture};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResultOrder {
    /// As the resolver gives them.
    #[default]
    Verbatim,
    Ipv4First,
    Ipv6First,
}

impl ResultOrder {
    /// What `dns.getDefaultResultOrder()` says. An order that is not known here, of a later Node, is the resolver's.
    pub fn of_node(name: &str) -> Self {
        match name {
            "ipv4first" => ResultOrder::Ipv4First,
            "ipv6first" => ResultOrder::Ipv6First,
            _ => ResultOrder::Verbatim,
        }
    }

    /// Within a family the order stays.
    fn sort(self, addresses: &mut [IpAddr]) {
        match self {
            ResultOrder::Verbatim => {}
            ResultOrder::Ipv4First => addresses.sort_by_key(IpAddr::is_ipv6),
            ResultOrder::Ipv6First => addresses.sort_by_key(IpAddr::is_ipv4),
        }
    }
}

/// A lookup whose addresses come in another order.
pub struct InOrder<L> {
    pub lookup: L,
    pub order: ResultOrder,
}

impl<L: Lookup> Lookup for InOrder<L> {
    fn lookup<'a>(&'a self, host: &'a str) -> LookupFuture<'a> {
        if self.order == ResultOrder::Verbatim {
            return self.lookup.lookup(host);
        }
        Box::pin(async move {
            let mut addresses = self.lookup.lookup(host).await?.to_vec();
            self.order.sort(&mut addresses);
            Ok(addresses.into())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const GIVEN: [&str; 4] = ["::1", "127.0.0.2", "::2", "127.0.0.1"];

    struct Given;

    impl Lookup for Given {
        fn lookup<'a>(&'a self, _: &'a str) -> LookupFuture<'a> {
            let addresses: Arc<[IpAddr]> = GIVEN.iter().map(|address| address.parse().unwrap()).collect();
            Box::pin(async { Ok(addresses) })
        }
    }

    #[tokio::test]
    async fn a_family_comes_first_and_keeps_its_own_order() {
        for (name, expected) in [
            ("verbatim", GIVEN),
            ("ipv4first", ["127.0.0.2", "127.0.0.1", "::1", "::2"]),
            ("ipv6first", ["::1", "::2", "127.0.0.2", "127.0.0.1"]),
            ("one that Node has not invented yet", GIVEN),
        ] {
            let lookup = InOrder { lookup: Given, order: ResultOrder::of_node(name) };
            let addresses = lookup.lookup("a.test").await.unwrap();
            assert_eq!(addresses.iter().map(ToString::to_string).collect::<Vec<_>>(), expected, "{name}");
        }
    }
}
