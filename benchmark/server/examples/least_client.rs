//! The least that a client can do: what the machine allows at most, whatever the client.
//!
//! `cargo run --release --features least-client --example least_client -- <port> <path> <in flight> <threads> <seconds>`
//! against a running server. Each connection writes a request, reads until the answer is whole, and writes the next: no HTTP is parsed
//! but `Content-Length` of the first answer (all are alike), nothing is allocated, nobody is told. It prints the calls
//! per second and the processor time that a call took here; the server's comes on top of it.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::epoll;
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, path, in_flight, threads, seconds] = arguments.as_slice() else {
        return Err("usage: least_client <port> <path> <in flight> <threads> <seconds>".into());
    };
    let port: u16 = port.parse()?;
    let (in_flight, threads): (usize, usize) = (in_flight.parse()?, threads.parse()?);
    let window = Duration::from_secs(seconds.parse()?);
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");

    let (begun, used_before) = (Instant::now(), processor_time());
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let request = request.clone();
            thread::spawn(move || exchange(port, &request, in_flight / threads, begun + window))
        })
        .collect();
    let mut calls = 0;
    for worker in workers {
        calls += worker.join().map_err(|_| "a worker panicked")??;
    }
    let used = processor_time() - used_before;
    let rate = calls as f64 / begun.elapsed().as_secs_f64();
    println!("{rate:.0} calls/s, {:.1} us of processor time each", used.as_secs_f64() * 1e6 / calls as f64);
    Ok(())
}

struct Connection {
    stream: TcpStream,
    /// Bytes of the answer that are still to come.
    missing: usize,
}

/// Keeps so many calls in flight, each on a connection of its own. Returns how many ended.
fn exchange(port: u16, request: &str, in_flight: usize, end: Instant) -> io::Result<u64> {
    let mut buffer = vec![0; 256 * 1024];
    let length = length_of_answer(port, request, &mut buffer)?;
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut connections = Vec::with_capacity(in_flight);
    for index in 0..in_flight {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let data = epoll::EventData::new_u64(index as u64);
        epoll::add(&poll, stream.as_fd(), data, epoll::EventFlags::IN | epoll::EventFlags::ET)?;
        stream.write_all(request.as_bytes())?;
        connections.push(Connection { stream, missing: length });
    }

    let mut calls = 0;
    let mut events = Vec::with_capacity(in_flight);
    while Instant::now() < end {
        match epoll::wait(&poll, rustix::buffer::spare_capacity(&mut events), None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        for event in events.drain(..) {
            let connection = &mut connections[event.data.u64() as usize];
            loop {
                match connection.stream.read(&mut buffer) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(read) => connection.missing -= read,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                }
                if connection.missing == 0 {
                    calls += 1;
                    connection.missing = length;
                    connection.stream.write_all(request.as_bytes())?;
                    // Nothing can be there before the server has seen the request: to ask would cost a system call.
                    break;
                }
            }
        }
    }
    Ok(calls)
}

/// Head and body together.
fn length_of_answer(port: u16, request: &str, buffer: &mut [u8]) -> io::Result<usize> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.write_all(request.as_bytes())?;
    let mut read = 0;
    loop {
        read += stream.read(&mut buffer[read..])?;
        let Some(head) = buffer[..read].windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let stated = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        return stated.map(|body: usize| head + 4 + body).ok_or(io::ErrorKind::InvalidData.into());
    }
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
