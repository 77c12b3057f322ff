//! From the first connection to the end that somebody wanted.

use std::time::Duration;

use unreset::fault::{Ending, Kind, Phase};
use unreset::tcp::event::Event;
use unreset::tcp::options::Options;
use unreset::tcp::queue::Fate;
use unreset::tcp::state::State;

use crate::support::*;

#[tokio::test]
async fn connects_writes_and_reads() {
    let (listener, port) = listen().await;
    let mut client = Client::open(to(port));
    client.write("before it is connected");
    let mut server = accept(&listener).await;
    assert_eq!(read_exactly(&mut server, 22).await, b"before it is connected");
    let connected = client.connected().await;
    assert_eq!(connected.generation, 1);
    assert_eq!(connected.remote, Some(listener.local_addr().unwrap()));
    assert_eq!(connected.local, Some(server.peer_addr().unwrap()));
    assert_eq!(client.up().await, None);
    assert_eq!(client.fate().await, Fate::Sent { writes: 1 });
    write(&mut server, "answer").await;
    assert_eq!(client.read(6).await, b"answer");
    let stats = client.socket.stats();
    assert_eq!((stats.state, stats.generation, stats.bytes_read, stats.bytes_written), (State::Live, 1, 6, 22));
    assert!(stats.uptime.is_some() && stats.queued == 0);
    if cfg!(target_os = "linux") {
        assert!(stats.rtt.unwrap() > Duration::ZERO);
        assert!(stats.retransmits.is_some());
    }
}

#[tokio::test]
async fn what_is_written_before_the_end_leaves_before_it() {
    let (listener, port) = listen().await;
    let mut client = Client::open(to(port));
    let large = vec![7; 3 << 20];
    client.write(&large);
    client.socket.end();
    let mut server = accept(&listener).await;
    assert_eq!(read_to_end(&mut server).await, large);
    client.until(|event| matches!(event, Event::Finished).then_some(())).await;
    write(&mut server, "still heard").await;
    assert_eq!(client.read(11).await, b"still heard");
    drop(server);
    client.until(|event| matches!(event, Event::PeerEnded).then_some(())).await;
    assert!(client.over().await.is_none());
    assert_eq!(client.socket.stats().state, State::Ended);
}

#[tokio::test]
async fn a_peer_that_ends_is_come_back_to() {
    let (listener, port) = listen().await;
    let mut client = Client::open(to(port));
    drop(accept(&listener).await);
    let loss = client.down().await;
    assert_eq!((loss.fault.kind, loss.fault.phase, loss.fault.ending), (Kind::Closed, Phase::Idle, Some(Ending::Fin)));
    assert_eq!(loss.fault.port, Some(port));
    let mut server = accept(&listener).await;
    let back = client.up().await.expect("it had been up");
    assert_eq!(back.attempts, 1);
    client.write("again");
    assert_eq!(read_exactly(&mut server, 5).await, b"again");
    assert_eq!(client.socket.stats().reconnects, 1);
}

#[tokio::test]
async fn a_peer_that_ends_has_ended_it_where_that_is_wanted() {
    let (listener, port) = listen().await;
    let mut client = Client::open(Options { reconnect_on_end: false, ..to(port) });
    let mut server = accept(&listener).await;
    write(&mut server, "one answer").await;
    within(tokio::io::AsyncWriteExt::shutdown(&mut server)).await.unwrap();
    assert_eq!(client.read(10).await, b"one answer");
    client.until(|event| matches!(event, Event::PeerEnded).then_some(())).await;
    client.write("the other half");
    client.socket.end();
    assert_eq!(read_to_end(&mut server).await, b"the other half");
    assert!(client.over().await.is_none());
}

#[tokio::test]
async fn an_end_with_nothing_to_send_needs_no_further_connection() {
    let (listener, port) = listen().await;
    let (mut client, server) = Client::up_at(&listener, to(port)).await;
    drop(listener);
    reset(server);
    client.waiting().await;
    client.socket.end();
    assert!(client.over().await.is_none());
}

#[tokio::test]
async fn who_ends_it_without_ever_having_been_connected_hears_why() {
    let port = closed_port().await;
    let mut client = Client::open(to(port));
    client.socket.end();
    assert_eq!(client.over().await.unwrap().fault.code, "ECONNREFUSED");
}

#[tokio::test]
async fn an_end_with_something_to_send_waits_for_a_connection() {
    let port = closed_port().await;
    let mut client = Client::open(to(port));
    client.waiting().await;
    client.write("last words");
    client.socket.end();
    let listener = listen_at(port).await;
    let mut server = accept(&listener).await;
    assert_eq!(read_to_end(&mut server).await, b"last words");
    drop(server);
    assert!(client.over().await.is_none());
}

#[tokio::test]
async fn a_reset_after_our_end_is_final_and_told() {
    let (listener, port) = listen().await;
    let mut client = Client::open(to(port));
    client.socket.end();
    let server = accept(&listener).await;
    client.until(|event| matches!(event, Event::Finished).then_some(())).await;
    reset(server);
    let end = client.over().await.expect("what the peer had to say is missing");
    assert_eq!((&*end.fault.code, end.fault.ending), ("ECONNRESET", Some(Ending::Rst)));
}

#[tokio::test]
async fn a_name_is_looked_up_and_told() {
    let (listener, port) = listen().await;
    let mut options = to(port);
    options.target = unreset::tcp::options::Target::Tcp { host: "localhost".to_owned(), port };
    let mut client = Client::open(options);
    let outcome = client.until(|event| if let Event::Lookup { outcome, .. } = event { Some(outcome) } else { None });
    assert!(outcome.await.unwrap().iter().all(std::net::IpAddr::is_loopback));
    accept(&listener).await;
    client.up().await;
}

#[tokio::test]
async fn what_the_caller_does_not_take_is_not_read() {
    let (listener, port) = listen().await;
    let mut client = Client::open(to(port));
    let mut server = accept(&listener).await;
    let sending = tokio::spawn(async move {
        let sent = vec![1; 8 << 20];
        write(&mut server, &sent).await;
        server
    });
    let mut told = 0;
    while told < READ_AHEAD {
        told += client.until(|event| if let Event::Data { bytes } = event { Some(bytes.len()) } else { None }).await;
    }
    assert_eq!(told, READ_AHEAD, "and not a byte more before some are taken");
    assert!(!sending.is_finished());
    client.socket.taken(told);
    client.read((8 << 20) - told).await;
    within(sending).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_path_is_a_target_like_any_other() {
    let path = std::env::temp_dir().join(format!("unreset-{}-{}.sock", std::process::id(), fastrand()));
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let mut options = to(0);
    options.target = unreset::tcp::options::Target::Path(path.clone());
    let mut client = Client::open(options);
    client.write("hello");
    let (mut server, _) = within(listener.accept()).await.unwrap();
    let mut read = [0; 5];
    within(tokio::io::AsyncReadExt::read_exact(&mut server, &mut read)).await.unwrap();
    drop(server);
    assert_eq!(client.down().await.fault.ending, Some(Ending::Fin));
    within(listener.accept()).await.unwrap();
    client.up().await;
    std::fs::remove_file(path).unwrap();
}

#[cfg(unix)]
fn fastrand() -> u64 {
    use unreset::policy::Random;
    unreset::policy::FastRandom.below(u64::MAX)
}
