//! A direction that stops, and goes on when it is let.

use tokio::io::AsyncWriteExt;

use crate::support::*;

#[tokio::test]
async fn a_stall_holds_everything_back_and_loses_nothing() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "stall", "on": "response", "afterBytes": 1000 }"#);
    let (mut client, mut server) = bench.connect().await;
    let sent = pattern(20_000_000);
    let writing = {
        let sent = sent.clone();
        tokio::spawn(async move {
            write(&mut server, sent).await;
            server
        })
    };
    assert_eq!(read_exactly(&mut client, 1000).await, sent[..1000]);
    bench.until(|proxy| proxy.hits(fault) == 1).await;
    // The other direction flows, and it is behind whatever the stalled one might have let through.
    write(&mut client, "upwards").await;
    bench.until(|proxy| proxy.stats().bytes.request == 7).await;
    assert!(is_silent(&client));
    assert!(!writing.is_finished(), "the server's window must have filled");
    assert_eq!(bench.proxy.stats().bytes.response, 1000);
    bench.proxy.remove(fault);
    assert!(read_exactly(&mut client, 20_000_000 - 1000).await == sent[1000..]);
    let mut server = writing.await.unwrap();
    assert_eq!(read_exactly(&mut server, 7).await, b"upwards");
}

#[tokio::test]
async fn a_stall_holds_fin_back() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "stall", "on": "response", "afterBytes": 3 }"#);
    let (mut client, mut server) = bench.connect().await;
    write(&mut server, "end").await;
    server.shutdown().await.unwrap();
    read_exactly(&mut client, 3).await;
    write(&mut client, "x").await;
    read_exactly(&mut server, 1).await;
    assert!(is_silent(&client));
    bench.proxy.remove(fault);
    assert_eq!(read_all(&mut client).await, (vec![], Ended::Fin));
}

#[tokio::test]
async fn a_stall_at_accept_keeps_the_upstream_from_being_contacted() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "stall", "on": "accept" }"#);
    let mut client = bench.client().await;
    write(&mut client, "early").await;
    bench.until(|proxy| proxy.hits(fault) == 1).await;
    bench.assert_never_reached().await;
    bench.proxy.remove(fault);
    let mut server = bench.accept().await;
    assert_eq!(read_exactly(&mut server, 5).await, b"early");
}

#[tokio::test]
async fn a_client_that_resets_a_stalled_connection_is_let_go() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "stall", "on": "idle" }"#);
    let (client, mut server) = bench.connect().await;
    bench.until(|proxy| proxy.hits(fault) == 1).await;
    client.set_zero_linger().unwrap();
    drop(client);
    assert_eq!(read_all(&mut server).await, (vec![], Ended::Rst));
    bench.until(|proxy| proxy.stats().connections.open == 0).await;
}

#[tokio::test]
async fn a_stall_of_many_is_released_for_all() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "stall", "on": "request" }"#);
    let mut pairs = Vec::new();
    for _ in 0..20 {
        let (mut client, server) = bench.connect().await;
        write(&mut client, "x").await;
        pairs.push((client, server));
    }
    bench.until(|proxy| proxy.hits(fault) == 20).await;
    bench.proxy.remove(fault);
    for (_client, mut server) in pairs {
        read_exactly(&mut server, 1).await;
    }
}
