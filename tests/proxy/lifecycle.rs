//! A proxy that is closed leaves nothing behind.

use std::time::Duration;

use tokio::net::TcpStream;
use unreset::proxy::FaultProxy;

use crate::support::*;

/// One connection for each state that one can be in.
async fn in_every_state(bench: &Bench) -> Vec<TcpStream> {
    let mut ends = Vec::new();
    for (number, fault) in [
        r#""type": "bandwidth", "on": "response", "rate": 1"#,
        r#""type": "stall", "on": "accept""#,
        r#""type": "stall", "on": "idle""#,
        r#""type": "blackhole", "on": "accept""#,
        r#""type": "close", "on": "accept""#,
        r#""type": "reset", "on": "after-request-forwarded""#,
        r#""type": "latency", "on": "request", "ms": 1000000"#,
        r#""type": "latency", "on": "accept", "ms": 1000000"#,
        r#""type": "reset", "on": "response", "afterBytes": 8000000"#,
    ]
    .into_iter()
    .enumerate()
    {
        let fault = bench.add(&format!(r#"{{ {fault}, "connections": [{}] }}"#, number + 1));
        let mut client = bench.client().await;
        write(&mut client, "POST / HTTP/1.1\r\ncontent-length: 1\r\n\r\nx").await;
        if number == 0 || number == 8 {
            let mut server = bench.accept().await;
            // The client does not read: the connection is held up by its pace, or by the client's window.
            let _ = tokio::time::timeout(Duration::from_millis(20), write(&mut server, pattern(20_000_000))).await;
            ends.push(server);
        } else {
            bench.until(|proxy| proxy.hits(fault) == 1).await;
        }
        ends.push(client);
    }
    ends
}

#[tokio::test]
async fn close_ends_connections_in_every_state() {
    let bench = Bench::start().await;
    let ends = in_every_state(&bench).await;
    within(bench.proxy.close()).await;
    assert_eq!(bench.proxy.stats().connections.open, 0);
    assert!(TcpStream::connect(bench.proxy.local_addr()).await.is_err());
    // Once more, by two at once.
    within(async { tokio::join!(bench.proxy.close(), bench.proxy.close()) }).await;
    drop(ends);
}

#[tokio::test]
async fn a_closed_proxy_can_still_be_asked() {
    let bench = Bench::start().await;
    let fault = bench.add(r#"{ "type": "reset", "on": "accept" }"#);
    let mut client = bench.client().await;
    read_all(&mut client).await;
    within(bench.proxy.close()).await;
    assert_eq!(bench.proxy.hits(fault), 1);
    assert_eq!(bench.count("strike"), 1);
    assert_eq!(bench.proxy.reset_all(), 0);
    bench.proxy.pause();
    bench.proxy.remove(fault);
    let refuse = bench.add(r#"{ "type": "refuse", "on": "accept" }"#);
    bench.proxy.remove(refuse);
    assert!(TcpStream::connect(bench.proxy.local_addr()).await.is_err(), "it must not listen again");
}

#[tokio::test]
async fn dropping_it_ends_connections() {
    let bench = Bench::start().await;
    let (mut client, _server) = bench.connect().await;
    let Bench { proxy, server: _listener } = bench;
    let address = proxy.local_addr();
    drop(proxy);
    read_all(&mut client).await;
    assert!(TcpStream::connect(address).await.is_err());
}

/// In a process of its own: other tests open and close descriptors at the same time.
#[cfg(target_os = "linux")]
#[test]
fn close_leaves_no_task_and_no_descriptor() {
    const MARK: &str = "UNRESET_PROXY_TEST_ALONE";
    if std::env::var_os(MARK).is_none() {
        let alone = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "lifecycle::close_leaves_no_task_and_no_descriptor", "--nocapture"])
            .env(MARK, "1")
            .output()
            .unwrap();
        assert!(alone.status.success(), "{}", String::from_utf8_lossy(&alone.stderr));
        return;
    }
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    runtime.block_on(async {
        let before = descriptors();
        for _ in 0..3 {
            let bench = Bench::start().await;
            let ends = in_every_state(&bench).await;
            assert!(descriptors() > before + 20 && tasks() >= 9, "the faults hold descriptors and tasks");
            within(bench.proxy.close()).await;
            drop((ends, bench));
            assert_eq!(descriptors(), before);
            // The runtime wakes whoever waits for a task a moment before it strikes the task off its list.
            within(async {
                while tasks() > 0 {
                    tokio::task::yield_now().await;
                }
            })
            .await;
        }
    });
}

#[test]
fn it_may_be_shared_among_threads() {
    fn is_shared<T: Send + Sync>() {}
    is_shared::<FaultProxy>();
}

#[tokio::test]
async fn methods_work_on_a_thread_without_runtime() {
    let bench = Bench::start().await;
    let (mut client, _server) = bench.connect().await;
    let Bench { proxy, server } = bench;
    let proxy = std::thread::spawn(move || {
        let refuse = proxy.add(unreset::proxy::Plan::from_json(r#"{ "type": "refuse", "on": "accept" }"#).unwrap());
        proxy.pause();
        proxy.resume();
        proxy.remove(refuse);
        assert_eq!(proxy.reset_all(), 1);
        proxy
    })
    .join()
    .unwrap();
    assert_eq!(read_all(&mut client).await.1, Ended::Rst);
    let bench = Bench { proxy, server };
    let (mut client, mut server) = bench.connect().await;
    exchange_a_byte(&mut client, &mut server).await;
}
