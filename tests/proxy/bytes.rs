//! Faults at exact bytes.

use tokio::io::AsyncWriteExt;

use crate::support::*;

/// Less than a read, odd, and more than any buffer.
const OFFSETS: [usize; 5] = [1, 1000, 65_537, 1_000_003, 5_000_001];
const TOTAL: usize = 6_000_000;

#[tokio::test]
async fn a_reset_of_the_response_comes_after_exactly_so_many_bytes() {
    for after in OFFSETS {
        let bench = Bench::start().await;
        let fault = bench.add(&format!(r#"{{ "type": "reset", "on": "response", "afterBytes": {after} }}"#));
        let (mut client, mut server) = bench.connect().await;
        let sent = pattern(TOTAL);
        let (received, told) = tokio::join!(read_all(&mut client), write_while_possible(&mut server, &sent));
        assert_eq!((received.0.len(), received.1), (after, Ended::Rst));
        assert!(received.0 == sent[..after]);
        assert_eq!(told.unwrap_or(read_all(&mut server).await.1), Ended::Rst);
        assert_eq!(bench.proxy.hits(fault), 1);
        assert_eq!(bench.proxy.stats().bytes.response, after as u64);
    }
}

#[tokio::test]
async fn a_reset_of_the_request_comes_after_exactly_so_many_bytes() {
    for after in OFFSETS {
        let bench = Bench::start().await;
        bench.add(&format!(r#"{{ "type": "reset", "on": "request", "afterBytes": {after} }}"#));
        let (mut client, mut server) = bench.connect().await;
        let sent = pattern(TOTAL);
        let (received, told) = tokio::join!(read_all(&mut server), write_while_possible(&mut client, &sent));
        assert_eq!((received.0.len(), received.1), (after, Ended::Rst));
        assert!(received.0 == sent[..after]);
        assert_eq!(told.unwrap_or(read_all(&mut client).await.1), Ended::Rst);
    }
}

#[tokio::test]
async fn a_close_ends_with_fin_after_exactly_so_many_bytes() {
    for after in OFFSETS {
        let bench = Bench::start().await;
        bench.add(&format!(r#"{{ "type": "close", "on": "response", "afterBytes": {after} }}"#));
        let (mut client, mut server) = bench.connect().await;
        // Unread bytes of the client's must not turn FIN into RST.
        write(&mut client, pattern(100_000)).await;
        let sent = pattern(TOTAL);
        let (received, _) = tokio::join!(read_all(&mut client), write_while_possible(&mut server, &sent));
        assert_eq!((received.0.len(), received.1), (after, Ended::Fin));
        write(&mut client, pattern(100_000)).await;
    }
}

#[tokio::test]
async fn at_no_bytes_the_first_byte_is_not_forwarded() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "reset", "on": "request" }"#);
    let (mut client, mut server) = bench.connect().await;
    assert!(is_silent(&client) && is_silent(&server), "nothing flows yet");
    write(&mut client, "x").await;
    assert_eq!(read_all(&mut server).await, (vec![], Ended::Rst));
    assert_eq!(read_all(&mut client).await, (vec![], Ended::Rst));
}

#[tokio::test]
async fn it_strikes_as_the_last_byte_passes_and_waits_for_no_other() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "reset", "on": "response", "afterBytes": 4 }"#);
    let (mut client, mut server) = bench.connect().await;
    write(&mut server, "four").await;
    assert_eq!(read_all(&mut client).await, (b"four".to_vec(), Ended::Rst));
}

#[tokio::test]
async fn a_fault_applies_to_open_connections_at_the_next_byte() {
    let bench = Bench::start().await;
    let (mut client, mut server) = bench.connect().await;
    write(&mut server, pattern(5000)).await;
    read_exactly(&mut client, 5000).await;
    let fault = bench.add(r#"{ "type": "reset", "on": "response", "afterBytes": 1000 }"#);
    write(&mut client, "the other direction is not concerned").await;
    read_exactly(&mut server, 36).await;
    assert_eq!(bench.proxy.hits(fault), 0);
    write(&mut server, "x").await;
    assert_eq!(read_all(&mut client).await, (vec![], Ended::Rst));
}

#[tokio::test]
async fn after_a_time_bytes_have_gone_on_flowing() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "reset", "on": "response", "afterBytes": 10, "afterMs": 100 }"#);
    let (mut client, mut server) = bench.connect().await;
    let began = std::time::Instant::now();
    write(&mut server, pattern(10)).await;
    read_exactly(&mut client, 10).await;
    exchange_a_byte(&mut client, &mut server).await;
    assert_eq!(read_all(&mut client).await.1, Ended::Rst);
    assert!(began.elapsed().as_millis() >= 100);
    assert_eq!(bench.proxy.hits(fault), 1);
}

#[tokio::test]
async fn the_first_point_strikes_and_of_equals_the_first_added() {
    let bench = Bench::start().await;
    let later = bench.add(r#"{ "type": "close", "on": "response", "afterBytes": 11 }"#);
    let first = bench.add(r#"{ "type": "reset", "on": "response", "afterBytes": 10 }"#);
    let equal = bench.add(r#"{ "type": "close", "on": "response", "afterBytes": 10 }"#);
    let (mut client, mut server) = bench.connect().await;
    write(&mut server, pattern(100)).await;
    assert_eq!(read_all(&mut client).await, (pattern(10), Ended::Rst));
    let hits = [later, first, equal].map(|fault| bench.proxy.hits(fault));
    assert_eq!(hits, [0, 1, 0]);
}

#[tokio::test]
async fn what_is_removed_does_not_strike() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "reset", "on": "response", "afterBytes": 3 }"#);
    let (mut client, mut server) = bench.connect().await;
    write(&mut server, "ab").await;
    read_exactly(&mut client, 2).await;
    bench.proxy.remove(fault);
    write(&mut server, "cdef").await;
    server.shutdown().await.unwrap();
    assert_eq!(read_all(&mut client).await, (b"cdef".to_vec(), Ended::Fin));
    assert_eq!(bench.proxy.hits(fault), 0);
}
