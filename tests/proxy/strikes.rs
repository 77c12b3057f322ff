//! What each type of fault does, at accept and while bytes flow.

use tokio::io::AsyncWriteExt;

use crate::support::*;

#[tokio::test]
async fn a_reset_at_accept_never_reaches_the_upstream() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "reset", "on": "accept" }"#);
    let mut client = bench.client().await;
    assert_eq!(read_all(&mut client).await, (vec![], Ended::Rst));
    bench.assert_never_reached().await;
}

#[tokio::test]
async fn a_close_at_accept_never_reaches_the_upstream() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "close", "on": "accept" }"#);
    let mut client = bench.client().await;
    assert_eq!(read_all(&mut client).await, (vec![], Ended::Fin));
    write(&mut client, "still taken").await;
    bench.assert_never_reached().await;
}

#[tokio::test]
async fn a_fault_at_accept_leaves_open_connections_alone() {
    let bench = Bench::start().await;
    let (mut client, mut server) = bench.connect().await;
    let fault = bench.add(r#"{ "type": "reset", "on": "accept" }"#);
    exchange_a_byte(&mut client, &mut server).await;
    assert_eq!(bench.proxy.hits(fault), 0);
}

#[tokio::test]
async fn after_a_time_from_accept_bytes_have_flowed() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "reset", "on": "accept", "afterMs": 100 }"#);
    let (mut client, mut server) = bench.connect().await;
    exchange_a_byte(&mut client, &mut server).await;
    assert_eq!(read_all(&mut client).await, (vec![], Ended::Rst));
    assert_eq!(read_all(&mut server).await, (vec![], Ended::Rst));
}

#[tokio::test]
async fn a_close_reads_what_the_client_still_sends_and_ends_the_upstream() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "close", "on": "response", "afterBytes": 2 }"#);
    let (mut client, mut server) = bench.connect().await;
    write(&mut server, "hello").await;
    assert_eq!(read_all(&mut client).await, (b"he".to_vec(), Ended::Fin));
    assert_eq!(read_all(&mut server).await, (vec![], Ended::Fin));
    // More than any buffer on the way: it is read.
    write(&mut client, pattern(20_000_000)).await;
}

#[tokio::test]
async fn a_half_close_of_the_response_lets_the_request_go_on() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "halfClose", "on": "response", "afterBytes": 2 }"#);
    let (mut client, mut server) = bench.connect().await;
    write(&mut server, "hello").await;
    assert_eq!(read_all(&mut client).await, (b"he".to_vec(), Ended::Fin));
    // Discarded, or the server would block.
    write(&mut server, pattern(20_000_000)).await;
    write(&mut client, "goes on").await;
    client.shutdown().await.unwrap();
    assert_eq!(read_all(&mut server).await, (b"goes on".to_vec(), Ended::Fin));
}

#[tokio::test]
async fn a_half_close_of_the_request_lets_the_response_go_on() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "halfClose", "on": "request", "afterBytes": 3 }"#);
    let (mut client, mut server) = bench.connect().await;
    write(&mut client, "request").await;
    assert_eq!(read_all(&mut server).await, (b"req".to_vec(), Ended::Fin));
    write(&mut client, pattern(20_000_000)).await;
    write(&mut server, "goes on").await;
    drop(server);
    assert_eq!(read_all(&mut client).await, (b"goes on".to_vec(), Ended::Fin));
}

#[tokio::test]
async fn a_half_close_at_accept_ends_what_the_client_reads() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "halfClose", "on": "accept" }"#);
    let (mut client, mut server) = bench.connect().await;
    assert_eq!(read_all(&mut client).await, (vec![], Ended::Fin));
    write(&mut client, "goes on").await;
    assert_eq!(read_exactly(&mut server, 7).await, b"goes on");
}

#[tokio::test]
async fn a_black_hole_takes_everything_and_gives_nothing() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "blackhole", "on": "request", "afterBytes": 3 }"#);
    let (mut client, mut server) = bench.connect().await;
    write(&mut client, "request").await;
    assert_eq!(read_exactly(&mut server, 3).await, b"req");
    bench.until(|proxy| proxy.hits(fault) == 1).await;
    // More than the buffers on the way hold: all of it is read.
    write(&mut client, pattern(20_000_000)).await;
    write(&mut server, pattern(20_000_000)).await;
    server.shutdown().await.unwrap();
    // What follows in the same connection would have come through by now.
    exchange_a_byte_elsewhere(&bench, fault).await;
    assert!(is_silent(&client) && is_silent(&server));
    assert_eq!(bench.proxy.reset_all(), 1);
    assert_eq!(read_all(&mut client).await, (vec![], Ended::Rst));
}

/// Another connection works, once the fault has been removed.
async fn exchange_a_byte_elsewhere(bench: &Bench, fault: unreset::proxy::FaultId) {
    bench.proxy.remove(fault);
    let (mut client, mut server) = bench.connect().await;
    exchange_a_byte(&mut client, &mut server).await;
    drop((client, server));
    bench.until(|proxy| proxy.stats().connections.open == 1).await;
}

#[tokio::test]
async fn a_black_hole_at_accept_never_contacts_the_upstream() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "blackhole", "on": "accept" }"#);
    let mut client = bench.client().await;
    write(&mut client, pattern(20_000_000)).await;
    assert!(is_silent(&client));
    bench.assert_never_reached().await;
    client.set_zero_linger().unwrap();
    drop(client);
    bench.until(|proxy| proxy.stats().connections.open == 0).await;
}

#[tokio::test]
async fn reset_all_strikes_every_open_connection_and_tells_how_many() {
    let bench = Bench::start().await;
    assert_eq!(bench.proxy.reset_all(), 0);
    let mut ends = Vec::new();
    for _ in 0..3 {
        let (client, server) = bench.connect().await;
        ends.extend([client, server]);
    }
    // The server may accept before the proxy has taken note.
    bench.until(|_| bench.count("connect") == 3).await;
    assert_eq!(bench.proxy.reset_all(), 3);
    for mut end in ends {
        assert_eq!(read_all(&mut end).await, (vec![], Ended::Rst));
    }
    bench.until(|proxy| proxy.stats().connections.open == 0).await;
    let (mut client, mut server) = bench.connect().await;
    exchange_a_byte(&mut client, &mut server).await;
}

#[tokio::test]
async fn without_an_upstream_the_client_is_reset() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = gone.local_addr().unwrap().port();
    drop(gone);
    let bench = Bench {
        proxy: listen_before(port, 1).await,
        server: tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap(),
    };
    let mut client = bench.client().await;
    assert_eq!(read_all(&mut client).await, (vec![], Ended::Rst));
    let failed = bench.events().into_iter().find(|entry| entry["event"] == "upstream-failed").unwrap();
    assert_eq!(failed["code"], "ECONNREFUSED");
    let connections = bench.proxy.stats().connections;
    assert_eq!((connections.accepted, connections.upstream_failed), (1, 1));
}
