//! Connections that break, in every phase of their lives.

use std::time::Duration;

use unreset::fault::{Delivery, Ending, Kind, Phase};
use unreset::policy::{Backoff, GaveUp};
use unreset::tcp::event::Event;
use unreset::tcp::options::{Options, Target};
use unreset::tcp::reconnect::Reconnect;

use crate::support::*;

#[tokio::test]
async fn nobody_there_yet_is_waited_for() {
    let port = closed_port().await;
    let mut client = Client::open(to(port));
    for expected in 1..=3 {
        let (attempt, _, fault) = client.waiting().await;
        assert_eq!((attempt, &*fault.code, fault.phase), (expected, "ECONNREFUSED", Phase::Connect));
        assert_eq!(fault.delivery, Delivery::NotSent);
    }
    let listener = listen_at(port).await;
    accept(&listener).await;
    assert_eq!(client.up().await, None, "it is the first time");
}

#[tokio::test]
async fn attempts_end_when_they_are_to() {
    let port = closed_port().await;
    let mut options = to(port);
    options.reconnect.retries = 2;
    let mut client = Client::open(options);
    let end = client.over().await.unwrap();
    assert_eq!((&*end.fault.code, end.gave_up, end.attempts), ("ECONNREFUSED", Some(GaveUp::AttemptsExhausted), 2));
}

#[tokio::test]
async fn a_reset_while_nothing_is_under_way() {
    let (listener, port) = listen().await;
    let (mut client, server) = Client::up_at(&listener, to(port)).await;
    reset(server);
    let loss = client.down().await;
    assert_eq!((&*loss.fault.code, loss.fault.phase), ("ECONNRESET", Phase::Idle));
    assert_eq!((loss.fault.ending, loss.fault.delivery), (Some(Ending::Rst), Delivery::NotSent));
    assert_eq!(loss.unacknowledged, Some(0));
    accept(&listener).await;
    assert_eq!(client.up().await.unwrap().attempts, 1);
}

#[tokio::test]
async fn a_reset_after_a_question_strikes_while_waiting() {
    let (listener, port) = listen().await;
    let mut client = Client::open(to(port));
    client.write("question");
    let mut server = accept(&listener).await;
    read_exactly(&mut server, 8).await;
    reset(server);
    let loss = client.down().await;
    assert_eq!(loss.fault.delivery, Delivery::Unknown);
    // The peer's kernel may have reset before it acknowledged.
    assert!(matches!(loss.fault.phase, Phase::Wait | Phase::Send), "{:?}", loss.fault);
}

#[tokio::test]
async fn a_fin_after_a_question_is_a_reset() {
    let (listener, port) = listen().await;
    let mut client = Client::open(to(port));
    client.write("question");
    let mut server = accept(&listener).await;
    read_exactly(&mut server, 8).await;
    drop(server);
    let loss = client.down().await;
    assert_eq!((&*loss.fault.code, loss.fault.ending), ("ECONNRESET", Some(Ending::Fin)));
}

#[tokio::test]
async fn what_came_before_a_reset_is_told_before_it() {
    let (listener, port) = listen().await;
    let mut client = Client::open(to(port));
    let mut server = accept(&listener).await;
    write(&mut server, "last words").await;
    client.up().await;
    reset(server);
    // An RST may overtake what its sender has not had acknowledged: on this machine it does not.
    assert_eq!(client.read(10).await, b"last words");
    client.down().await;
}

#[tokio::test]
async fn who_only_writes_finds_the_loss_by_writing() {
    let (listener, port) = listen().await;
    let (mut client, mut server) = Client::up_at(&listener, to(port)).await;
    // More than is read ahead, of which nothing is ever taken.
    let talking = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        let _ = tokio::time::timeout(Duration::from_millis(500), server.write_all(&vec![0; 64 << 20])).await;
        reset(server);
    });
    within(talking).await.unwrap();
    client.write("x");
    assert_eq!(client.down().await.fault.kind, Kind::Reset);
    accept(&listener).await;
    assert!(client.up().await.is_some());
}

#[tokio::test]
async fn a_server_that_restarts_on_its_port_is_found_again() {
    let (listener, port) = listen().await;
    let (mut client, server) = Client::up_at(&listener, to(port)).await;
    drop(listener);
    reset(server);
    client.down().await;
    let (_, _, fault) = client.until(refused).await;
    assert_eq!(fault.kind, Kind::Refused);
    let listener = listen_at(port).await;
    let mut server = accept(&listener).await;
    let back = client.up().await.unwrap();
    assert!(back.attempts >= 2 && back.downtime > Duration::ZERO);
    client.write("there");
    assert_eq!(read_exactly(&mut server, 5).await, b"there");
}

fn refused(event: Event) -> Option<(u32, Duration, unreset::fault::Fault)> {
    match event {
        Event::Waiting { attempt, delay, fault } if fault.kind == Kind::Refused => Some((attempt, delay, *fault)),
        _ => None,
    }
}

#[tokio::test]
async fn a_connection_that_does_not_prove_itself_does_not_count_as_a_success() {
    let (listener, port) = listen().await;
    let mut options = to(port);
    options.reconnect.retries = 3;
    let mut client = Client::open(options);
    let accepting = tokio::spawn(async move {
        let mut accepted = 0;
        while let Ok((stream, _)) = listener.accept().await {
            accepted += 1;
            reset(stream);
            if accepted == 4 {
                break;
            }
        }
        accepted
    });
    let end = client.over().await.unwrap();
    assert_eq!(end.gave_up, Some(GaveUp::AttemptsExhausted));
    assert_eq!(within(accepting).await.unwrap(), 4);
}

#[tokio::test]
async fn bytes_prove_a_connection_and_so_does_time() {
    for by_bytes in [true, false] {
        let (listener, port) = listen().await;
        let mut options = to(port);
        options.reconnect.retries = 1;
        options.min_uptime = if by_bytes { Duration::from_secs(3600) } else { Duration::from_millis(5) };
        let mut client = Client::open(options);
        for _ in 0..5 {
            let mut server = accept(&listener).await;
            client.up().await;
            if by_bytes {
                write(&mut server, "x").await;
                client.read(1).await;
            } else {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            reset(server);
            assert_eq!(client.waiting().await.0, 1, "the first attempt each time");
        }
    }
}

#[tokio::test]
async fn the_greeting_comes_before_everything_that_was_written() {
    let (listener, port) = listen().await;
    let mut client = Client::open(Options { greets: true, ..to(port) });
    client.write("later");
    for generation in 1..=2 {
        let mut server = accept(&listener).await;
        assert_eq!(client.connected().await.generation, generation);
        assert!(client.socket.greet(generation, "login".into()));
        assert!(!client.socket.greet(generation + 1, "nobody".into()));
        assert_eq!(read_exactly(&mut server, 5).await, b"login");
        write(&mut server, "ok").await;
        assert_eq!(client.read(2).await, b"ok");
        if generation == 1 {
            // Struck in the greeting: it was never up, so nothing is lost, and it is tried again.
            reset(server);
            let (attempt, _, fault) = client.waiting().await;
            assert_eq!((attempt, fault.phase), (1, Phase::Handshake));
            continue;
        }
        // What is said last, in the moment in which the greeting ends, is said before everything else too.
        assert!(client.socket.greet(2, "subscribe".into()));
        client.socket.greeted(1, Ok(()));
        client.socket.greeted(2, Ok(()));
        assert_eq!(client.up().await, None);
        assert_eq!(read_exactly(&mut server, 14).await, b"subscribelater");
    }
}

#[tokio::test]
async fn a_greeting_that_fails_is_a_failed_attempt() {
    let (listener, port) = listen().await;
    let mut options = Options { greets: true, ..to(port) };
    options.reconnect.retries = 1;
    let mut client = Client::open(options);
    for generation in 1..=2 {
        accept(&listener).await;
        client.connected().await;
        let refused = unreset::fault::Fault::of_code("ECONNABORTED");
        client.socket.greeted(generation, Err(Box::new(refused)));
    }
    let end = client.over().await.unwrap();
    assert_eq!((&*end.fault.code, end.gave_up), ("ECONNABORTED", Some(GaveUp::AttemptsExhausted)));
}

#[tokio::test]
async fn a_greeting_has_its_time() {
    let (listener, port) = listen().await;
    let connect_timeout = Some(Duration::from_millis(50));
    let mut client = Client::open(Options { greets: true, connect_timeout, ..to(port) });
    let _server = accept(&listener).await;
    let (_, _, fault) = client.waiting().await;
    assert_eq!((&*fault.code, fault.phase), ("ETIMEDOUT", Phase::Handshake));
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_not_connected_to_for_ever() {
    use socket2::{Domain, Socket, Type};
    // A listener whose queue is full answers no SYN.
    let full = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    full.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let mut waiting = Vec::new();
    loop {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let queued = socket.connect_timeout(&address.into(), Duration::from_millis(200)).is_ok();
        waiting.push(socket);
        if !queued {
            break;
        }
    }
    let connect_timeout = Some(Duration::from_millis(50));
    let mut client = Client::open(Options { connect_timeout, ..to(address.port()) });
    let (_, _, fault) = client.waiting().await;
    assert_eq!((&*fault.code, fault.phase, fault.delivery), ("ETIMEDOUT", Phase::Connect, Delivery::NotSent));
    assert_eq!((fault.address.as_deref(), fault.port), (Some("127.0.0.1"), Some(address.port())));
}

#[tokio::test]
async fn a_name_that_nobody_has_is_given_up_after_a_round() {
    struct Nobody;
    impl unreset::http::transport::lookup::Lookup for Nobody {
        fn lookup<'a>(&'a self, host: &'a str) -> unreset::http::transport::lookup::LookupFuture<'a> {
            use unreset::http::transport::lookup::LookupFailed;
            Box::pin(async move { Err(LookupFailed::new(host, "ENOTFOUND")) })
        }
    }
    let backoff = Backoff { base: Duration::from_millis(1), cap: Duration::from_millis(4) };
    let options = Options {
        lookup: std::sync::Arc::new(Nobody),
        target: Target::Tcp { host: "a.test".to_owned(), port: 1 },
        reconnect: Reconnect { backoff, ..Reconnect::default() },
        ..to(1)
    };
    let mut client = Client::open(options);
    let end = client.over().await.unwrap();
    assert_eq!((&*end.fault.code, end.gave_up, end.attempts), ("ENOTFOUND", Some(GaveUp::NotTransient), 2));
}

#[tokio::test]
async fn faults_on_the_way_are_survived_at_every_point() {
    let (listener, port) = listen().await;
    let proxy = proxy(port).await;
    for (fault, connection) in [
        (r#"{ "type": "reset", "on": "accept", "connections": [1] }"#, 1),
        (r#"{ "type": "close", "on": "accept", "connections": [2] }"#, 2),
        (r#"{ "type": "reset", "on": "request", "afterBytes": 2, "connections": [3] }"#, 3),
        (r#"{ "type": "reset", "on": "response", "afterBytes": 2, "connections": [4] }"#, 4),
        (r#"{ "type": "close", "on": "response", "afterBytes": 1, "connections": [5] }"#, 5),
        (r#"{ "type": "reset", "on": "idle", "afterMs": 20, "connections": [6] }"#, 6),
    ] {
        add(&proxy, fault);
        assert!(connection <= 6);
    }
    let serving = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let (mut reading, mut writing) = stream.split();
                let _ = tokio::io::copy(&mut reading, &mut writing).await;
            });
        }
    });
    let mut client = Client::open(to(proxy.local_addr().port()));
    let mut ups = 0;
    while client.socket.stats().generation < 7 {
        let event = client.next().await;
        if matches!(event, Event::Up { .. }) {
            ups += 1;
            client.write("ping");
        }
    }
    assert!(ups >= 5, "{ups}");
    client.write("end");
    let mut heard = Vec::new();
    while !heard.ends_with(b"end") {
        heard.extend(client.read(1).await);
    }
    serving.abort();
}
