//! Many losses leave nothing behind. Linux tells what a process has.

#![cfg(target_os = "linux")]

use std::time::Duration;

use unreset::tcp::event::Event;

use crate::support::*;

/// What may grow if something stays behind.
#[derive(Debug, Clone, Copy)]
struct Held {
    descriptors: usize,
    threads: usize,
    resident: usize,
}

impl Held {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let number = |name: &str| -> usize {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        Held {
            descriptors: std::fs::read_dir("/proc/self/fd").unwrap().count(),
            threads: number("Threads:"),
            resident: number("VmRSS:") * 1024,
        }
    }
}

/// Each is struck while something was written and something came.
const RESETS: usize = 10_000;
/// What is made once and kept (threads, buffers of theirs, pages of the allocator) is there by then.
const WARM: usize = 2000;

/// In a process of its own: what other tests hold meanwhile is not told apart.
#[test]
fn ten_thousand_resets_in_a_row() {
    const ALONE: &str = "UNRESET_SOAK_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let program = std::env::current_exe().unwrap();
        let arguments = ["--exact", "soak::ten_thousand_resets_in_a_row", "--nocapture"];
        let status = std::process::Command::new(program).args(arguments).env(ALONE, "1").status().unwrap();
        assert!(status.success());
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (before, after) = runtime.block_on(resets());
    println!("after {WARM}: {before:?}; after {RESETS}: {after:?}");
    assert!(after.descriptors <= before.descriptors + 4, "{before:?} {after:?}");
    assert!(after.threads <= before.threads + 2, "{before:?} {after:?}");
    // A hundred bytes that stay behind of each would be as much.
    assert!(after.resident <= before.resident + 100 * (RESETS - WARM), "{before:?} {after:?}");
}

async fn resets() -> (Held, Held) {
    let (listener, port) = listen().await;
    let mut options = to(port);
    options.reconnect.backoff.base = Duration::ZERO;
    options.reconnect.backoff.cap = Duration::ZERO;
    let mut client = Client::open(options);
    let resetting = tokio::spawn(async move {
        for _ in 0..RESETS {
            let mut server = accept(&listener).await;
            write(&mut server, "struck").await;
            reset(server);
        }
        let mut last = accept(&listener).await;
        write(&mut last, "enough").await;
        last
    });
    let (mut struck, mut before) = (0, None);
    loop {
        match client.next().await {
            // Some are reset before they are found to be made.
            Event::Waiting { .. } => {
                struck += 1;
                client.write("x");
                if struck == WARM {
                    before = Some(Held::now());
                }
            }
            Event::Data { bytes } => {
                client.socket.taken(bytes.len());
                if &*bytes == b"enough" {
                    break;
                }
            }
            _ => {}
        }
    }
    let after = Held::now();
    let _last = within(resetting).await.unwrap();
    assert_eq!(struck, RESETS);
    (before.unwrap(), after)
}
