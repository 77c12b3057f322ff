//! The whole proxy stands still.

use crate::support::*;

#[tokio::test]
async fn while_paused_nothing_passes_and_nothing_is_lost() {
    let bench = Bench::start().await;
    let (mut client, mut server) = bench.connect().await;
    exchange_a_byte(&mut client, &mut server).await;
    bench.proxy.pause();
    assert!(bench.proxy.stats().paused);
    // A connection that is accepted is told apart from one whose bytes pass.
    let mut second = bench.client().await;
    bench.until(|proxy| proxy.stats().connections.accepted == 2).await;
    write(&mut client, "request").await;
    write(&mut server, "response").await;
    write(&mut second, "second").await;
    assert!(is_silent(&client) && is_silent(&server));
    bench.assert_never_reached().await;
    assert_eq!((bench.proxy.stats().bytes.request, bench.proxy.stats().bytes.response), (1, 1));
    bench.proxy.resume();
    assert!(!bench.proxy.stats().paused);
    assert_eq!(read_exactly(&mut server, 7).await, b"request");
    assert_eq!(read_exactly(&mut client, 8).await, b"response");
    let mut server = bench.accept().await;
    assert_eq!(read_exactly(&mut server, 6).await, b"second");
    let entries = [bench.count("pause"), bench.count("resume")];
    assert_eq!(entries, [1, 1]);
}

#[tokio::test]
async fn pausing_twice_is_pausing_once() {
    let bench = Bench::start().await;
    bench.proxy.pause();
    bench.proxy.pause();
    bench.proxy.resume();
    let (mut client, mut server) = bench.connect().await;
    exchange_a_byte(&mut client, &mut server).await;
    assert_eq!((bench.count("pause"), bench.count("resume")), (1, 1));
}

#[tokio::test]
async fn a_paused_proxy_can_be_reset_and_closed() {
    let bench = Bench::start().await;
    let (mut client, _server) = bench.connect().await;
    bench.proxy.pause();
    assert_eq!(bench.proxy.reset_all(), 1);
    assert_eq!(read_all(&mut client).await, (vec![], Ended::Rst));
    let waiting = bench.client().await;
    within(bench.proxy.close()).await;
    drop(waiting);
}
