//! A client is there and the upstream cannot be reached, or not yet.

use std::time::Duration;

use crate::support::*;

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_resets_while_its_upstream_is_being_connected_to_is_let_go() {
    let (server, _waiting) = overcrowded().await;
    let proxy = listen_before(server.local_addr().unwrap().port(), 1).await;
    let bench = Bench { proxy, server };
    let client = bench.client().await;
    bench.until(|proxy| proxy.stats().connections.open == 1).await;
    client.set_zero_linger().unwrap();
    drop(client);
    // The system goes on trying for two minutes; this gives up after one.
    bench.until(|proxy| proxy.stats().connections.open == 0).await;
    let end = bench.events().pop().unwrap();
    assert_eq!((&end["event"], &end["by"], &end["code"]), (&"end".into(), &"client".into(), &"ECONNRESET".into()));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_pause_breaks_off_a_connect_and_resume_begins_it_anew() {
    let (server, waiting) = overcrowded().await;
    let proxy = listen_before(server.local_addr().unwrap().port(), 1).await;
    let bench = Bench { proxy, server };
    let mut client = bench.client().await;
    bench.until(|proxy| proxy.stats().connections.open == 1).await;
    bench.proxy.pause();
    for _ in &waiting {
        bench.accept().await;
    }
    // The system tries again a second after the first time: it would find room.
    let reached = tokio::time::timeout(Duration::from_millis(2500), bench.server.accept()).await;
    assert!(reached.is_err(), "a paused proxy contacts nobody");
    bench.proxy.resume();
    let mut server = bench.accept().await;
    exchange_a_byte(&mut client, &mut server).await;
}

#[tokio::test]
async fn an_upstream_without_address_is_told_by_its_code() {
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let bench = Bench { proxy: listen_before_host("does-not-exist.invalid", 80, 1).await, server };
    let mut client = bench.client().await;
    assert_eq!(read_all(&mut client).await, (vec![], Ended::Rst));
    let failed = bench.events().into_iter().find(|entry| entry["event"] == "upstream-failed").unwrap();
    assert_no_such_name(failed["code"].as_str().unwrap());
}
