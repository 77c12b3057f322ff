//! The server that the benchmark measures every client against.
//!
//! Client and server share the machine's cores, so whatever this program spends is taken from the
//! client under test. It therefore does the least that is still correct HTTP/1.1: one thread, one
//! task per connection, answers rendered before the first connection, one `read` and one `write` a call.
//!
//! It prints the port it listens on, alone on one line, and ends when its standard input closes, so that
//! it cannot outlive the program that started it.

mod answers;
mod connection;
mod delay;
mod request;

use std::io::{self, Read, Write};
use std::net::Ipv4Addr;
use std::thread;

use tokio::net::TcpListener;
use tokio::runtime::Builder;

use answers::Answers;

fn main() -> io::Result<()> {
    end_with_stdin();
    Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?
        .block_on(serve())
}

async fn serve() -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    announce(listener.local_addr()?.port())?;

    // Lives as long as the process: every connection borrows it without counting references.
    let answers: &'static Answers = Box::leak(Box::new(Answers::render()));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            // A client that goes away in the middle of an answer is ordinary: each measured process
            // ends with calls in flight.
            let _ = connection::serve(stream, answers).await;
        });
    }
}

fn announce(port: u16) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{port}")?;
    stdout.flush()
}

/// A thread of its own, because the runtime's only thread must never block on a pipe.
fn end_with_stdin() {
    thread::spawn(|| {
        let mut ignored = [0; 64];
        while matches!(io::stdin().read(&mut ignored), Ok(length) if length > 0) {}
        std::process::exit(0);
    });
}
