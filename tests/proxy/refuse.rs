//! A port that refuses, for real.

use std::io::ErrorKind;
use std::time::Instant;

use tokio::net::TcpStream;

use crate::support::*;

const REFUSE: &str = r#"{ "type": "refuse", "on": "accept" }"#;

#[tokio::test]
async fn a_connect_is_refused_as_soon_as_add_has_returned() {
    let bench = Bench::start().await;
    let address = bench.proxy.local_addr();
    let fault = bench.add(REFUSE);
    for _ in 0..100 {
        let error = TcpStream::connect(address).await.expect_err("nobody listens");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
    assert_eq!(bench.proxy.hits(fault), 1);
    assert_eq!(bench.proxy.stats().strikes["refuse"], 1);
}

#[tokio::test]
async fn the_same_port_is_back_after_removal() {
    let bench = Bench::start().await;
    let address = bench.proxy.local_addr();
    for _ in 0..20 {
        let fault = bench.add(REFUSE);
        assert!(TcpStream::connect(address).await.is_err());
        bench.proxy.remove(fault);
        let (mut client, mut server) = bench.connect().await;
        exchange_a_byte(&mut client, &mut server).await;
    }
    assert_eq!(bench.proxy.local_addr(), address);
    assert_eq!((bench.count("refuse"), bench.count("listen")), (20, 20));
}

#[tokio::test]
async fn it_refuses_until_the_last_such_fault_is_removed() {
    let bench = Bench::start().await;
    let address = bench.proxy.local_addr();
    let (first, second) = (bench.add(REFUSE), bench.add(REFUSE));
    bench.proxy.remove(first);
    bench.proxy.remove(first);
    assert!(TcpStream::connect(address).await.is_err());
    bench.proxy.remove(second);
    assert!(TcpStream::connect(address).await.is_ok());
}

#[tokio::test]
async fn open_connections_go_on() {
    let bench = Bench::start().await;
    let (mut client, mut server) = bench.connect().await;
    bench.add(REFUSE);
    exchange_a_byte(&mut client, &mut server).await;
}

/// A port that nobody holds is given to whoever asks for any, a client that connects to that very port included: it
/// would then be connected to itself.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn while_it_refuses_nobody_else_can_have_the_port() {
    let bench = Bench::start().await;
    let address = bench.proxy.local_addr();
    let fault = bench.add(REFUSE);
    // Both set SO_REUSEADDR, as servers do.
    let taken = tokio::net::TcpListener::bind(address).await.expect_err("it is reserved");
    assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    bench.proxy.remove(fault);
    let taken = tokio::net::TcpListener::bind(address).await.expect_err("it is in use");
    assert_eq!(taken.kind(), ErrorKind::AddrInUse);
    within(bench.proxy.close()).await;
    tokio::net::TcpListener::bind(address).await.expect("it is free");
}

#[tokio::test]
async fn a_refusing_proxy_closes() {
    let bench = Bench::start().await;
    bench.add(REFUSE);
    let began = Instant::now();
    within(bench.proxy.close()).await;
    assert!(began.elapsed().as_secs() < 30);
    assert!(TcpStream::connect(bench.proxy.local_addr()).await.is_err());
}
