//! What an empty proxy costs. A measurement: run it alone, optimised, on a quiet machine:
//! `cargo test --release --test proxy throughput -- --ignored --nocapture`

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::support::*;

const TOTAL: usize = 1 << 30;
const CHUNK: usize = 64 * 1024;

/// How long `TOTAL` bytes take from the server behind `address` to a client of it.
fn transfer(server: &TcpListener, address: SocketAddr) -> Duration {
    let mut client = TcpStream::connect(address).unwrap();
    let (mut accepted, _) = server.accept().unwrap();
    let began = Instant::now();
    let writing = std::thread::spawn(move || {
        let chunk = vec![7; CHUNK];
        for _ in 0..TOTAL / CHUNK {
            accepted.write_all(&chunk).unwrap();
        }
    });
    let mut buffer = vec![0; CHUNK];
    let mut read = 0;
    loop {
        match client.read(&mut buffer).unwrap() {
            0 => break,
            length => read += length,
        }
    }
    writing.join().unwrap();
    assert_eq!(read, TOTAL);
    began.elapsed()
}

/// The least that a relay can do: one thread that reads and writes, and looks at nothing.
fn bare_relay(upstream: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, mut upstream) = (client.unwrap(), TcpStream::connect(upstream).unwrap());
            std::thread::spawn(move || {
                let mut buffer = vec![0; 256 * 1024];
                while let Ok(read @ 1..) = upstream.read(&mut buffer) {
                    client.write_all(&buffer[..read]).unwrap();
                }
            });
        }
    });
    address
}

#[test]
#[ignore = "a measurement"]
fn an_empty_proxy_costs_little_more_than_the_barest_relay() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let relay = bare_relay(address);
    let proxy = runtime.block_on(listen_before(address.port(), 1));
    // The best of several, in turns: what else the machine does comes and goes.
    let mut best = [Duration::MAX; 3];
    for _ in 0..10 {
        for (best, address) in best.iter_mut().zip([address, relay, proxy.local_addr()]) {
            *best = (*best).min(transfer(&server, address));
        }
    }
    let [direct, relayed, proxied] = best;
    println!("1 GiB: direct {direct:?}, through a bare relay {relayed:?}, through the proxy {proxied:?}");
    runtime.block_on(proxy.close());
    assert!(proxied.as_secs_f64() <= 1.3 * relayed.as_secs_f64());
}
