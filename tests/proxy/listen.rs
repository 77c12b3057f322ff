//! Where a proxy can listen, and what is said where it cannot.

use unreset::proxy::{FaultProxy, ListenOptions, Upstream};

use crate::support::*;

fn options(host: &str, port: u16) -> ListenOptions {
    let upstream = Upstream { host: "127.0.0.1".to_owned(), port: 1 };
    ListenOptions { host: host.to_owned(), port, upstream, seed: 0 }
}

#[tokio::test]
async fn a_port_in_use_is_an_error_with_its_code() {
    let bench = Bench::start().await;
    for taken in [bench.proxy.local_addr(), bench.server.local_addr().unwrap()] {
        let error = FaultProxy::listen(options("127.0.0.1", taken.port())).await.unwrap_err();
        assert_eq!((&*error.code, error.syscall), ("EADDRINUSE", "listen"));
        assert_eq!((&*error.address, error.port), ("127.0.0.1", taken.port()));
    }
}

#[tokio::test]
async fn an_address_that_is_not_ours_is_an_error_with_its_code() {
    // TEST-NET-1: no machine has it.
    let error = FaultProxy::listen(options("192.0.2.1", 0)).await.unwrap_err();
    assert_eq!(&*error.code, "EADDRNOTAVAIL");
}

#[tokio::test]
async fn a_host_that_does_not_exist_is_an_error_with_its_code() {
    let error = FaultProxy::listen(options("does-not-exist.invalid", 0)).await.unwrap_err();
    assert_no_such_name(&error.code);
    assert_eq!(error.syscall, "getaddrinfo");
}

#[tokio::test]
async fn a_given_port_is_the_one_and_is_free_again_after_close() {
    let first = FaultProxy::listen(options("127.0.0.1", 0)).await.unwrap();
    let address = first.local_addr();
    within(first.close()).await;
    let second = FaultProxy::listen(options("127.0.0.1", address.port())).await.unwrap();
    assert_eq!(second.local_addr(), address);
    drop(second);
    let third = FaultProxy::listen(options("127.0.0.1", address.port())).await.unwrap();
    assert_eq!(third.local_addr(), address);
}

#[tokio::test]
async fn a_name_is_resolved_for_listening_and_for_the_upstream() {
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = Upstream { host: "localhost".to_owned(), port: server.local_addr().unwrap().port() };
    let options = ListenOptions { host: "localhost".to_owned(), port: 0, upstream, seed: 0 };
    let bench = Bench { proxy: FaultProxy::listen(options).await.unwrap(), server };
    let (mut client, mut server) = bench.connect().await;
    exchange_a_byte(&mut client, &mut server).await;
}
