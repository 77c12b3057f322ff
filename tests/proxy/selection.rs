//! Whom a fault strikes.

use crate::support::*;

const RESET: &str = r#""type": "reset", "on": "request""#;

/// Sends a byte over each of `count` connections, one after the other; tells which were reset.
async fn struck(bench: &Bench, count: usize) -> Vec<usize> {
    let mut struck = Vec::new();
    for number in 1..=count {
        let (mut client, mut server) = bench.connect().await;
        write(&mut client, "x").await;
        let _ = read_one_or_end(&mut server).await;
        drop(server);
        if read_all(&mut client).await.1 == Ended::Rst {
            struck.push(number);
        }
    }
    struck
}

async fn read_one_or_end(server: &mut tokio::net::TcpStream) -> Option<u8> {
    use tokio::io::AsyncReadExt;
    within(server.read_u8()).await.ok()
}

#[tokio::test]
async fn the_listed_connections() {
    let bench = Bench::start().await;
    bench.add(&format!(r#"{{ {RESET}, "connections": [1, 3] }}"#));
    assert_eq!(struck(&bench, 4).await, [1, 3]);
}

#[tokio::test]
async fn every_nth() {
    let bench = Bench::start().await;
    bench.add(&format!(r#"{{ {RESET}, "everyNth": 3 }}"#));
    assert_eq!(struck(&bench, 7).await, [3, 6]);
}

#[tokio::test]
async fn a_client_that_has_gone_is_not_counted() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "reset", "on": "after-request-forwarded", "times": 1 }"#);
    let (mut gone, _unanswered) = bench.connect().await;
    write(&mut gone, "GET / HTTP/1.1\r\n\r\n").await;
    assert_eq!(read_all(&mut gone).await.1, Ended::Rst);
    bench.until(|proxy| proxy.stats().connections.open == 0).await;
    let (_first, mut second) = (bench.connect().await, bench.connect().await);
    bench.until(|_| bench.count("connect") == 3).await;
    bench.add(r#"{ "type": "reset", "on": "idle", "everyNth": 2 }"#);
    assert_eq!(read_all(&mut second.0).await.1, Ended::Rst);
}

#[tokio::test]
async fn at_most_so_many_times() {
    let bench = Bench::start().await;
    let fault = bench.add(&format!(r#"{{ {RESET}, "times": 2 }}"#));
    assert_eq!(struck(&bench, 4).await, [1, 2]);
    assert_eq!(bench.proxy.hits(fault), 2);
}

#[tokio::test]
async fn a_strike_that_never_came_does_not_count() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "reset", "on": "request", "afterBytes": 2, "times": 1 }"#);
    assert_eq!(struck(&bench, 2).await, [0; 0], "a single byte does not reach the point");
    let (mut client, _server) = bench.connect().await;
    write(&mut client, "xy").await;
    assert_eq!(read_all(&mut client).await.1, Ended::Rst);
    assert_eq!(bench.proxy.hits(fault), 1);
}

#[tokio::test]
async fn times_holds_when_many_reach_the_point_at_once() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "reset", "on": "response", "times": 5 }"#);
    let mut pairs = Vec::new();
    for _ in 0..50 {
        pairs.push(bench.connect().await);
    }
    for (_, server) in &mut pairs {
        write(server, "x").await;
    }
    let mut resets = 0;
    for (mut client, server) in pairs {
        drop(server);
        resets += usize::from(read_all(&mut client).await.1 == Ended::Rst);
    }
    assert_eq!((resets, bench.proxy.hits(fault)), (5, 5));
}

#[tokio::test]
async fn the_same_seed_strikes_the_same_connections() {
    const HALF: &str = r#"{ "type": "reset", "on": "request", "probability": 0.5 }"#;
    let mut runs = Vec::new();
    for seed in [1, 1, 2] {
        let bench = Bench::seeded(seed).await;
        bench.add(HALF);
        runs.push(struck(&bench, 40).await);
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    assert!((5..35).contains(&runs[0].len()), "{:?}", runs[0]);
}

#[tokio::test]
async fn the_interleaving_of_exchanges_does_not_change_who_is_struck() {
    const FAULT: &str = r#"{ "type": "latency", "on": "response-head", "ms": 0, "probability": 0.5 }"#;
    let mut runs = Vec::new();
    for backwards in [false, true] {
        let bench = Bench::seeded(3).await;
        bench.add(FAULT);
        let mut pairs = [bench.connect().await, bench.connect().await];
        if backwards {
            pairs.reverse();
        }
        for (client, server) in &mut pairs {
            for _ in 0..20 {
                write(client, "GET / HTTP/1.1\r\n\r\n").await;
                read_exactly(server, 18).await;
                write(server, "HTTP/1.1 204 No\r\n\r\n").await;
                read_exactly(client, 19).await;
            }
        }
        let strikes = bench.events().into_iter().filter(|entry| entry["event"] == "strike");
        let mut struck: Vec<_> =
            strikes.map(|entry| (entry["connection"].as_u64(), entry["exchange"].as_u64())).collect();
        struck.sort_unstable();
        runs.push(struck);
    }
    assert_eq!(runs[0], runs[1]);
    assert!((8..32).contains(&runs[0].len()), "{:?}", runs[0]);
}
