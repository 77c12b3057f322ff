//! Without a fault a connection through the proxy is like one without a proxy.

use tokio::io::AsyncWriteExt;

use crate::support::*;

#[tokio::test]
async fn bytes_pass_unchanged_in_both_directions_at_once() {
    let bench = Bench::start().await;
    let (client, server) = bench.connect().await;
    let (to_server, to_client) = (pattern(5_000_001), pattern(3_000_003));
    let (mut from_client, mut into_client) = client.into_split();
    let (mut from_server, mut into_server) = server.into_split();
    let sends = async {
        tokio::join!(
            async { (into_client.write_all(&to_server).await.unwrap(), into_client.shutdown().await.unwrap()) },
            async { (into_server.write_all(&to_client).await.unwrap(), into_server.shutdown().await.unwrap()) },
        )
    };
    let (mut at_server, mut at_client) = (Vec::new(), Vec::new());
    let reads = async {
        use tokio::io::AsyncReadExt;
        tokio::join!(from_server.read_to_end(&mut at_server), from_client.read_to_end(&mut at_client))
    };
    let (_, read) = within(async { tokio::join!(sends, reads) }).await;
    read.0.unwrap();
    read.1.unwrap();
    assert!(at_server == to_server && at_client == to_client);
    let stats = bench.proxy.stats();
    assert_eq!((stats.bytes.request, stats.bytes.response), (5_000_001, 3_000_003));
}

#[tokio::test]
async fn fin_of_the_client_passes_and_the_answer_still_comes() {
    let bench = Bench::start().await;
    let (mut client, mut server) = bench.connect().await;
    write(&mut client, "question").await;
    client.shutdown().await.unwrap();
    assert_eq!(read_all(&mut server).await, (b"question".to_vec(), Ended::Fin));
    write(&mut server, "answer").await;
    drop(server);
    assert_eq!(read_all(&mut client).await, (b"answer".to_vec(), Ended::Fin));
    bench.until(|proxy| proxy.stats().connections.open == 0).await;
}

#[tokio::test]
async fn fin_of_the_server_passes_and_the_client_can_still_send() {
    let bench = Bench::start().await;
    let (mut client, mut server) = bench.connect().await;
    write(&mut server, "bye").await;
    server.shutdown().await.unwrap();
    assert_eq!(read_all(&mut client).await, (b"bye".to_vec(), Ended::Fin));
    write(&mut client, "more").await;
    drop(client);
    assert_eq!(read_all(&mut server).await, (b"more".to_vec(), Ended::Fin));
}

#[tokio::test]
async fn rst_passes_as_rst_behind_the_bytes_before_it() {
    let bench = Bench::start().await;
    let (mut client, mut server) = bench.connect().await;
    write(&mut server, pattern(1000)).await;
    bench.until(|proxy| proxy.stats().bytes.response == 1000).await;
    server.set_zero_linger().unwrap();
    drop(server);
    assert_eq!(read_all(&mut client).await, (pattern(1000), Ended::Rst));

    let (mut client, mut server) = bench.connect().await;
    write(&mut client, pattern(1000)).await;
    bench.until(|proxy| proxy.stats().bytes.request == 1000).await;
    client.set_zero_linger().unwrap();
    drop(client);
    assert_eq!(read_all(&mut server).await, (pattern(1000), Ended::Rst));
}

#[tokio::test]
async fn a_thousand_connections_at_once() {
    const CONNECTIONS: usize = 1000;
    let bench = Bench::start().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..CONNECTIONS {
        let address = bench.proxy.local_addr();
        tasks.spawn(async move {
            let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
            let sent = pattern(1000 + number);
            write(&mut client, &sent).await;
            client.shutdown().await.unwrap();
            assert_eq!(read_all(&mut client).await, (sent, Ended::Fin));
        });
    }
    // All are open before any is answered.
    let mut servers = Vec::new();
    for _ in 0..CONNECTIONS {
        servers.push(bench.accept().await);
    }
    assert_eq!(bench.proxy.stats().connections.open, CONNECTIONS as u64);
    for mut server in servers {
        tokio::spawn(async move {
            let (received, _) = read_all(&mut server).await;
            write(&mut server, received).await;
        });
    }
    while let Some(client) = within(tasks.join_next()).await {
        client.unwrap();
    }
}
