//! What a failing test prints.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::support::*;

/// The entries of one connection, without their times and number.
fn of_connection(bench: &Bench, connection: u64) -> Vec<Value> {
    let mut last = 0.0;
    let of_connection = bench.events().into_iter().filter(|entry| entry["connection"] == connection);
    of_connection
        .map(|mut entry| {
            let fields = entry.as_object_mut().unwrap();
            let at = fields.remove("at").unwrap().as_f64().unwrap();
            assert!(at >= last, "entries are in order of their times");
            last = at;
            fields.remove("connection");
            entry
        })
        .collect()
}

#[tokio::test]
async fn an_exchange_and_its_end_are_told_in_order() {
    let bench = Bench::start().await;
    let (mut client, mut server) = bench.connect().await;
    let address = client.local_addr().unwrap().to_string();
    write(&mut client, "GET /a?secret HTTP/1.1\r\n\r\n").await;
    read_exactly(&mut server, 26).await;
    for part in ["HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n", "ab", "cd"] {
        write(&mut server, part).await;
        read_exactly(&mut client, part.len()).await;
    }
    client.shutdown().await.unwrap();
    assert_eq!(read_all(&mut server).await.1, Ended::Fin);
    drop(server);
    assert_eq!(read_all(&mut client).await.1, Ended::Fin);
    bench.until(|proxy| proxy.stats().connections.open == 0).await;
    bench.until(|_| bench.count("end") == 1).await;
    assert_eq!(
        of_connection(&bench, 1),
        [
            json!({ "event": "accept", "client": address }),
            json!({ "event": "connect" }),
            json!({ "event": "exchange", "method": "GET", "path": "/a", "exchange": 1 }),
            json!({ "event": "bytes", "direction": "request", "bytes": 26 }),
            json!({ "event": "answer", "status": 200, "exchange": 1 }),
            json!({ "event": "bytes", "direction": "response", "bytes": 42 }),
            json!({ "event": "fin", "direction": "request" }),
            json!({ "event": "fin", "direction": "response" }),
            json!({ "event": "end", "by": "client" }),
        ]
    );
}

#[tokio::test]
async fn a_strike_names_its_fault_and_how_far_it_was() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "stall", "on": "idle", "connections": [9] }"#);
    bench.add(r#"{ "type": "reset", "on": "response", "afterBytes": 3 }"#);
    let (mut client, mut server) = bench.connect().await;
    write(&mut server, "hello").await;
    read_all(&mut client).await;
    bench.until(|_| bench.count("end") == 1).await;
    let entries = of_connection(&bench, 1);
    let strike = json!({
        "event": "strike", "fault": 2, "type": "reset", "on": "response", "direction": "response", "bytes": 3,
    });
    assert_eq!(
        entries[2..],
        [
            json!({ "event": "bytes", "direction": "response", "bytes": 3 }),
            strike,
            json!({ "event": "end", "by": "strike" }),
        ]
    );
    let stats = serde_json::to_value(bench.proxy.stats()).unwrap();
    assert_eq!(
        stats,
        json!({
            "connections": { "accepted": 1, "open": 0, "upstreamFailed": 0 },
            "bytes": { "request": 0, "response": 3 },
            "strikes": { "reset": 1 },
            "paused": false,
        })
    );
}

#[tokio::test]
async fn it_says_who_ended_a_connection() {
    let bench = Bench::start().await;
    let (client, _server) = bench.connect().await;
    client.set_zero_linger().unwrap();
    drop(client);
    bench.until(|_| bench.count("end") == 1).await;
    let (mut client, server) = bench.connect().await;
    drop(server);
    read_all(&mut client).await;
    drop(client);
    bench.until(|_| bench.count("end") == 2).await;
    let _pair = bench.connect().await;
    bench.proxy.reset_all();
    bench.until(|_| bench.count("end") == 3).await;
    let _pair = bench.connect().await;
    within(bench.proxy.close()).await;
    let ends: Vec<_> = (1..=4).map(|connection| of_connection(&bench, connection).pop().unwrap()).collect();
    assert_eq!(
        ends,
        [
            json!({ "event": "end", "by": "client", "code": "ECONNRESET" }),
            json!({ "event": "end", "by": "upstream" }),
            json!({ "event": "end", "by": "reset-all" }),
            json!({ "event": "end", "by": "close" }),
        ]
    );
}
