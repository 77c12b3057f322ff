//! Slower, later, in smaller pieces. Only lower bounds are asserted: a busy machine is slow by itself.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::*;

#[tokio::test]
async fn latency_delays_bytes_and_fin_and_keeps_their_order() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "latency", "on": "response", "ms": 100, "jitter": 50 }"#);
    let (mut client, mut server) = bench.connect().await;
    let began = Instant::now();
    for piece in pattern(2000).chunks(10) {
        write(&mut server, piece).await;
        tokio::task::yield_now().await;
    }
    let mut first = [0];
    within(client.read_exact(&mut first)).await.unwrap();
    assert!(began.elapsed() >= Duration::from_millis(50));
    let ended = Instant::now();
    drop(server);
    let (rest, end) = read_all(&mut client).await;
    assert_eq!(([&first[..], &rest].concat(), end), (pattern(2000), Ended::Fin));
    assert!(ended.elapsed() >= Duration::from_millis(50));
    assert_eq!(bench.proxy.hits(fault), 1);
}

#[tokio::test]
async fn latency_delays_a_fin_with_nothing_before_it() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "latency", "on": "request", "ms": 100 }"#);
    let (mut client, mut server) = bench.connect().await;
    let began = Instant::now();
    client.shutdown().await.unwrap();
    assert_eq!(read_all(&mut server).await, (vec![], Ended::Fin));
    assert!(began.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn latency_does_not_cost_throughput() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "latency", "on": "response", "ms": 200 }"#);
    let (mut client, mut server) = bench.connect().await;
    // Far less than the bytes that may be under way, in pieces that are sent over a longer time than they are delayed:
    // one delay after the other would take a minute.
    let began = Instant::now();
    tokio::spawn(async move {
        for _ in 0..300 {
            write(&mut server, pattern(1000)).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    assert_eq!(read_all(&mut client).await.0.len(), 300_000);
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn removing_latency_lets_what_is_delayed_go() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "latency", "on": "response", "ms": 2000000 }"#);
    let (mut client, mut server) = bench.connect().await;
    write(&mut server, "held").await;
    bench.until(|proxy| proxy.hits(fault) == 1).await;
    bench.proxy.remove(fault);
    assert_eq!(read_exactly(&mut client, 4).await, b"held");
}

#[tokio::test]
async fn latency_at_accept_contacts_the_upstream_later() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "latency", "on": "accept", "ms": 100 }"#);
    let began = Instant::now();
    let (mut client, mut server) = bench.connect().await;
    assert!(began.elapsed() >= Duration::from_millis(100));
    exchange_a_byte(&mut client, &mut server).await;
}

#[tokio::test]
async fn bandwidth_is_a_number_of_bytes_per_second() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "bandwidth", "on": "response", "rate": 100000, "afterBytes": 50000 }"#);
    let (mut client, mut server) = bench.connect().await;
    let sent = pattern(100_000);
    let began = Instant::now();
    write(&mut server, &sent).await;
    drop(server);
    let (received, end) = read_all(&mut client).await;
    assert!(received == sent && end == Ended::Fin);
    // The second half takes half a second; a bucketful may be ahead of its time.
    assert!(began.elapsed() >= Duration::from_millis(450), "{:?}", began.elapsed());
    assert_eq!(bench.proxy.hits(fault), 1);
}

#[tokio::test]
async fn slices_arrive_one_by_one() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "slice", "on": "response", "size": 7, "ms": 20 }"#);
    let (mut client, mut server) = bench.connect().await;
    let began = Instant::now();
    write(&mut server, pattern(70)).await;
    drop(server);
    let mut reads = 0;
    let mut buffer = [0; 1000];
    loop {
        match within(client.read(&mut buffer)).await.unwrap() {
            0 => break,
            // A reader that came late may find several of them.
            read => assert_eq!(read % 7, 0),
        }
        reads += 1;
    }
    assert!((1..=10).contains(&reads));
    assert!(began.elapsed() >= Duration::from_millis(9 * 20));
}

#[tokio::test]
async fn shaping_combines() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "latency", "on": "response", "ms": 100 }"#);
    bench.add(r#"{ "type": "bandwidth", "on": "response", "rate": 10000 }"#);
    bench.add(r#"{ "type": "slice", "on": "response", "size": 100 }"#);
    bench.add(r#"{ "type": "reset", "on": "response", "afterBytes": 1000 }"#);
    let (mut client, mut server) = bench.connect().await;
    let began = Instant::now();
    write(&mut server, pattern(5000)).await;
    assert_eq!(read_all(&mut client).await, (pattern(1000), Ended::Rst));
    assert!(began.elapsed() >= Duration::from_millis(180), "{:?}", began.elapsed());
}
