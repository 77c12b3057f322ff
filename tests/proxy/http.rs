//! The points of HTTP/1.1, which decide whether a retry is safe.

use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::support::*;

const POST: &str = "POST /orders?id=7 HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\norder";
const GET: &str = "GET /orders HTTP/1.1\r\nhost: x\r\n\r\n";
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789";

/// One exchange that is not struck.
async fn undisturbed(client: &mut TcpStream, server: &mut TcpStream, request: &str) {
    write(client, request).await;
    assert_eq!(read_exactly(server, request.len()).await, request.as_bytes());
    write(server, ANSWER).await;
    assert_eq!(read_exactly(client, ANSWER.len()).await, ANSWER.as_bytes());
}

#[tokio::test]
async fn before_the_request_the_server_sees_none_of_it() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "reset", "on": "before-request-forwarded", "match": { "method": "POST" } }"#);
    let (mut client, mut server) = bench.connect().await;
    undisturbed(&mut client, &mut server, GET).await;
    write(&mut client, &POST[..20]).await;
    write(&mut client, &POST[20..]).await;
    assert_eq!(read_all(&mut client).await, (vec![], Ended::Rst));
    assert_eq!(read_all(&mut server).await, (vec![], Ended::Rst));
}

#[tokio::test]
async fn after_the_request_the_server_has_all_of_it_and_its_answer_is_swallowed() {
    for (fault, end) in [("reset", Ended::Rst), ("close", Ended::Fin)] {
        let bench = Bench::start().await;
        bench.add(&format!(r#"{{ "type": "{fault}", "on": "after-request-forwarded", "times": 1 }}"#));
        let (mut client, mut server) = bench.connect().await;
        write(&mut client, POST).await;
        assert_eq!(read_all(&mut client).await, (vec![], end));
        drop(client);
        assert_eq!(read_exactly(&mut server, POST.len()).await, POST.as_bytes());
        assert!(is_silent(&server), "the server must not learn that its client has gone");
        write(&mut server, &ANSWER[..20]).await;
        bench.until(|proxy| proxy.stats().connections.open == 0).await;
        assert!(is_silent(&server));
        write(&mut server, &ANSWER[20..]).await;
        assert_eq!(read_all(&mut server).await.0, b"");
        assert_eq!(bench.events().last().unwrap()["event"], "answer");
    }
}

#[tokio::test]
async fn after_the_request_a_half_close_lets_the_server_answer_nobody() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "halfClose", "on": "after-request-forwarded" }"#);
    let (mut client, mut server) = bench.connect().await;
    write(&mut client, POST).await;
    assert_eq!(read_all(&mut client).await, (vec![], Ended::Fin));
    assert_eq!(read_exactly(&mut server, POST.len()).await, POST.as_bytes());
    write(&mut server, pattern(20_000_000)).await;
}

#[tokio::test]
async fn the_head_of_the_response_is_cut_where_it_is_told() {
    for after in [0, 1, 17, HEAD.len()] {
        let bench = Bench::start().await;
        bench.add(&format!(r#"{{ "type": "reset", "on": "response-head", "afterBytes": {after} }}"#));
        let (mut client, mut server) = bench.connect().await;
        write(&mut client, GET).await;
        read_exactly(&mut server, GET.len()).await;
        write(&mut server, ANSWER).await;
        assert_eq!(read_all(&mut client).await, (HEAD.as_bytes()[..after].to_vec(), Ended::Rst));
    }
}

#[tokio::test]
async fn the_body_of_the_response_is_cut_where_it_is_told() {
    for after in [0, 1, 9, 10] {
        let bench = Bench::start().await;
        bench.add(&format!(r#"{{ "type": "close", "on": "response-body", "afterBytes": {after} }}"#));
        let (mut client, mut server) = bench.connect().await;
        write(&mut client, GET).await;
        read_exactly(&mut server, GET.len()).await;
        write(&mut server, ANSWER).await;
        let cut = HEAD.len() + after;
        assert_eq!(read_all(&mut client).await, (ANSWER.as_bytes()[..cut].to_vec(), Ended::Fin));
    }
}

#[tokio::test]
async fn a_response_without_body_is_not_cut_in_its_body() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "reset", "on": "response-body" }"#);
    let (mut client, mut server) = bench.connect().await;
    for (request, answer) in [
        ("HEAD / HTTP/1.1\r\n\r\n", HEAD),
        (GET, "HTTP/1.1 204 No Content\r\n\r\n"),
        (GET, "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n"),
        (GET, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
    ] {
        write(&mut client, request).await;
        read_exactly(&mut server, request.len()).await;
        write(&mut server, answer).await;
        assert_eq!(read_exactly(&mut client, answer.len()).await, answer.as_bytes());
    }
    assert_eq!(bench.proxy.hits(fault), 0);
    write(&mut client, GET).await;
    read_exactly(&mut server, GET.len()).await;
    write(&mut server, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n").await;
    let (received, end) = read_all(&mut client).await;
    assert_eq!((received.len(), end), (47, Ended::Rst));
}

#[tokio::test]
async fn bytes_are_counted_from_the_matching_message() {
    for on in ["request", "response"] {
        let bench = Bench::start().await;
        bench.add(&format!(
            r#"{{ "type": "reset", "on": "{on}", "afterBytes": 5, "match": {{ "method": "POST", "path": "/orders" }} }}"#
        ));
        let (mut client, mut server) = bench.connect().await;
        undisturbed(&mut client, &mut server, GET).await;
        write(&mut client, POST).await;
        if on == "request" {
            assert_eq!(read_all(&mut server).await, (b"POST ".to_vec(), Ended::Rst));
        } else {
            read_exactly(&mut server, POST.len()).await;
            write(&mut server, ANSWER).await;
            assert_eq!(read_all(&mut client).await, (b"HTTP/".to_vec(), Ended::Rst));
        }
    }
}

#[tokio::test]
async fn a_path_matches_without_its_query_and_as_a_prefix() {
    let bench = Bench::start().await;
    let exact = bench.add(r#"{ "type": "latency", "on": "response-head", "ms": 0, "match": { "path": "/orders" } }"#);
    let prefix = bench.add(r#"{ "type": "latency", "on": "response-head", "ms": 0, "match": { "path": "/or*" } }"#);
    let (mut client, mut server) = bench.connect().await;
    undisturbed(&mut client, &mut server, POST).await;
    undisturbed(&mut client, &mut server, "GET /orders/1 HTTP/1.1\r\n\r\n").await;
    undisturbed(&mut client, &mut server, "GET / HTTP/1.1\r\n\r\n").await;
    assert_eq!((bench.proxy.hits(exact), bench.proxy.hits(prefix)), (1, 2));
}

#[tokio::test]
async fn pipelined_requests_are_told_apart() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "reset", "on": "response-body", "afterBytes": 3, "match": { "path": "/third" } }"#);
    let (mut client, mut server) = bench.connect().await;
    let requests =
        "GET /first HTTP/1.1\r\n\r\nGET /second HTTP/1.1\r\n\r\nGET /third HTTP/1.1\r\n\r\nGET /x HTTP/1.1\r\n\r\n";
    write(&mut client, requests).await;
    read_exactly(&mut server, requests.len()).await;
    write(&mut server, ANSWER.repeat(4)).await;
    let expected = ANSWER.len() * 2 + HEAD.len() + 3;
    let (received, end) = read_all(&mut client).await;
    assert_eq!((received.len(), end), (expected, Ended::Rst));
}

#[tokio::test]
async fn a_fault_added_while_the_server_works_strikes_its_answer() {
    let bench = Bench::start().await;
    let (mut client, mut server) = bench.connect().await;
    write(&mut client, POST).await;
    read_exactly(&mut server, POST.len()).await;
    bench.add(r#"{ "type": "reset", "on": "before-request-forwarded" }"#);
    bench.add(r#"{ "type": "reset", "on": "response-head", "match": { "path": "/other" } }"#);
    bench.add(r#"{ "type": "reset", "on": "response-body", "afterBytes": 1, "match": { "path": "/orders" } }"#);
    write(&mut server, ANSWER).await;
    let (received, end) = read_all(&mut client).await;
    assert_eq!((received.len(), end), (HEAD.len() + 1, Ended::Rst));
}

#[tokio::test]
async fn behind_an_upgrade_bytes_pass_and_match_nothing() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "reset", "on": "request", "match": { "path": "/later" } }"#);
    let (mut client, mut server) = bench.connect().await;
    let upgrade = "GET /other HTTP/1.1\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n";
    write(&mut client, upgrade).await;
    read_exactly(&mut server, upgrade.len()).await;
    let switch = "HTTP/1.1 101 Switching Protocols\r\n\r\n";
    write(&mut server, switch).await;
    read_exactly(&mut client, switch.len()).await;
    let looks_like = "GET /later HTTP/1.1\r\n\r\n";
    write(&mut client, looks_like).await;
    assert_eq!(read_exactly(&mut server, looks_like.len()).await, looks_like.as_bytes());
    exchange_a_byte(&mut client, &mut server).await;
    assert_eq!(bench.proxy.hits(fault), 0);
}

#[tokio::test]
async fn other_protocols_are_not_held_back_by_a_fault_that_waits_for_requests() {
    let bench = Bench::start().await;
    bench.add(r#"{ "type": "reset", "on": "before-request-forwarded" }"#);
    for first in ["\u{16}", "*1\r", "\0", "EHLO a\r"] {
        let (mut client, mut server) = bench.connect().await;
        write(&mut client, first).await;
        assert_eq!(read_exactly(&mut server, first.len()).await, first.as_bytes());
        write(&mut server, "2").await;
        read_exactly(&mut client, 1).await;
    }
    // Where the server speaks first.
    let (mut client, mut server) = bench.connect().await;
    write(&mut server, "220 ready\r\n").await;
    read_exactly(&mut client, 11).await;
    let (mut client, mut server) = bench.connect().await;
    let endless = vec![b'a'; 200_000];
    write(&mut client, [b"GET / HTTP/1.1\r\n", &endless[..]].concat()).await;
    read_exactly(&mut server, 200_016).await;
}

#[tokio::test]
async fn at_a_point_of_http_latency_is_one_wait() {
    for on in ["before-request-forwarded", "after-request-forwarded", "response-head", "response-body"] {
        let bench = Bench::start().await;
        let fault = bench.add(&format!(r#"{{ "type": "latency", "on": "{on}", "ms": 100 }}"#));
        let (mut client, mut server) = bench.connect().await;
        let began = Instant::now();
        undisturbed(&mut client, &mut server, POST).await;
        assert!(began.elapsed() >= Duration::from_millis(100), "{on}");
        assert_eq!(bench.proxy.hits(fault), 1, "{on}");
    }
}

#[tokio::test]
async fn a_stall_at_a_point_of_http_is_released_by_removal() {
    for on in ["before-request-forwarded", "after-request-forwarded", "response-head", "response-body"] {
        let bench = Bench::start().await;
        let fault = bench.add(&format!(r#"{{ "type": "stall", "on": "{on}" }}"#));
        let (mut client, mut server) = bench.connect().await;
        write(&mut client, POST).await;
        if on != "before-request-forwarded" {
            read_exactly(&mut server, POST.len()).await;
            write(&mut server, ANSWER).await;
        }
        bench.until(|proxy| proxy.hits(fault) == 1).await;
        bench.proxy.remove(fault);
        if on == "before-request-forwarded" {
            read_exactly(&mut server, POST.len()).await;
            write(&mut server, ANSWER).await;
        }
        assert_eq!(read_exactly(&mut client, ANSWER.len()).await, ANSWER.as_bytes(), "{on}");
    }
}

#[tokio::test]
async fn shaping_of_a_matching_message_ends_with_it() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "latency", "on": "response", "ms": 100, "match": { "method": "POST" } }"#);
    bench.add(r#"{ "type": "bandwidth", "on": "response-body", "rate": 100, "match": { "method": "POST" } }"#);
    let (mut client, mut server) = bench.connect().await;
    let began = Instant::now();
    undisturbed(&mut client, &mut server, POST).await;
    // Ten bytes at a hundred per second, behind a head that was delayed.
    assert!(began.elapsed() >= Duration::from_millis(180), "{:?}", began.elapsed());
    let before = bench.proxy.stats().strikes;
    for _ in 0..10 {
        undisturbed(&mut client, &mut server, GET).await;
    }
    assert_eq!(bench.proxy.stats().strikes, before);
    assert_eq!(bench.proxy.hits(fault), 1);
}

#[tokio::test]
async fn what_follows_a_shaped_request_is_not_shaped_before_its_answer() {
    let bench = Bench::start().await;
    // At work from the last byte and from the end, so that the request itself passes.
    for (shape, left) in [(r#""type": "bandwidth", "rate": 1"#, 1), (r#""type": "latency", "ms": 2000000"#, 0)] {
        let after = POST.len() - left;
        bench
            .add(&format!(r#"{{ {shape}, "on": "request", "afterBytes": {after}, "match": {{ "method": "POST" }} }}"#));
    }
    let (mut client, mut server) = bench.connect().await;
    write(&mut client, POST).await;
    read_exactly(&mut server, POST.len()).await;
    bench.until(|proxy| proxy.stats().strikes.len() == 2).await;
    write(&mut client, GET).await;
    assert_eq!(read_exactly(&mut server, GET.len()).await, GET.as_bytes());
}

#[tokio::test]
async fn every_nth_counts_exchanges_over_all_connections() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "latency", "on": "response-head", "ms": 0, "everyNth": 2 }"#);
    for _ in 0..2 {
        let (mut client, mut server) = bench.connect().await;
        for _ in 0..3 {
            undisturbed(&mut client, &mut server, GET).await;
        }
    }
    assert_eq!(bench.proxy.hits(fault), 3);
}
