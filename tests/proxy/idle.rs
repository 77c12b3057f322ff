//! Connections on which nothing flows: what other proxies never reset.

use std::time::{Duration, Instant};

use crate::support::*;

#[tokio::test]
async fn a_connection_on_which_nothing_ever_flowed_is_reset() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "reset", "on": "idle", "afterMs": 50 }"#);
    let (mut client, mut server) = bench.connect().await;
    assert_eq!(read_all(&mut client).await, (vec![], Ended::Rst));
    assert_eq!(read_all(&mut server).await, (vec![], Ended::Rst));
    assert_eq!(bench.proxy.hits(fault), 1);
}

#[tokio::test]
async fn connections_that_are_open_already_are_struck() {
    let bench = Bench::start().await;
    let (mut first, mut server) = bench.connect().await;
    exchange_a_byte(&mut first, &mut server).await;
    let (mut second, _server) = bench.connect().await;
    let fault = bench.add(r#"{ "type": "close", "on": "idle" }"#);
    assert_eq!(read_all(&mut first).await, (vec![], Ended::Fin));
    assert_eq!(read_all(&mut second).await, (vec![], Ended::Fin));
    assert_eq!(bench.proxy.hits(fault), 2);
}

#[tokio::test]
async fn what_flows_in_either_direction_breaks_the_silence() {
    const SILENCE: Duration = Duration::from_millis(400);
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "reset", "on": "idle", "afterMs": 400 }"#);
    let (mut client, mut server) = bench.connect().await;
    let mut spoke = Instant::now();
    for turn in 0..6 {
        tokio::time::sleep(SILENCE / 4).await;
        if spoke.elapsed() > SILENCE / 2 {
            // This machine is too slow to speak in time.
            return;
        }
        let (from, to) = if turn % 2 == 0 { (&mut client, &mut server) } else { (&mut server, &mut client) };
        spoke = Instant::now();
        write(from, "x").await;
        read_exactly(to, 1).await;
    }
    assert_eq!(read_all(&mut client).await, (vec![], Ended::Rst));
    assert!(spoke.elapsed() >= SILENCE);
}

#[tokio::test]
async fn each_other_type_strikes_on_idle_too() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "halfClose", "on": "idle", "connections": [1] }"#);
    let (mut client, mut server) = bench.connect().await;
    assert_eq!(read_all(&mut client).await, (vec![], Ended::Fin));
    write(&mut client, "goes on").await;
    assert_eq!(read_exactly(&mut server, 7).await, b"goes on");
    assert_eq!(bench.proxy.hits(fault), 1);

    let fault = bench.add(r#"{ "type": "stall", "on": "idle", "connections": [2] }"#);
    let (mut client, mut server) = bench.connect().await;
    bench.until(|proxy| proxy.hits(fault) == 1).await;
    write(&mut client, "held").await;
    write(&mut server, "up").await;
    bench.proxy.remove(fault);
    assert_eq!(read_exactly(&mut server, 4).await, b"held");
    assert_eq!(read_exactly(&mut client, 2).await, b"up");

    let fault = bench.add(r#"{ "type": "blackhole", "on": "idle", "connections": [3] }"#);
    let (mut client, _server) = bench.connect().await;
    bench.until(|proxy| proxy.hits(fault) == 1).await;
    write(&mut client, pattern(20_000_000)).await;
}
