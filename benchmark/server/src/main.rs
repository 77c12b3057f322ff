//! The server that the benchmark measures every client against.
//!
//! Client and server share the machine's cores, so whatever this program spends is taken from the
//! client under test. It therefore does the least that is still correct HTTP/1.1: one thread, one
//! task per connection, answers rendered before the first connection, one `read` and one `write` a call.
//!
//! It prints one line of JSON, `{ port, tlsPort, authority }`: where it listens without TLS and with it, and the
//! certificate to trust. It ends when its standard input closes, so that it cannot outlive the program that started it.

mod answers;
mod connection;
mod delay;
mod request;
mod tls;

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::Ipv4Addr;
use std::thread;

use tokio::net::TcpListener;
use tokio::runtime::Builder;

use answers::Answers;
use tls::Tls;

fn main() -> Result<(), Box<dyn Error>> {
    end_with_stdin();
    Builder::new_current_thread().enable_io().enable_time().build()?.block_on(serve())
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let Tls { acceptor, authority } = tls::set_up()?;
    // Lives as long as the process: every connection borrows it without counting references.
    let answers: &'static Answers = Box::leak(Box::new(Answers::render()?));
    let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let tls = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    announce(plain.local_addr()?.port(), tls.local_addr()?.port(), &authority)?;

    loop {
        // A client that goes away in the middle of an answer, or of a handshake, is ordinary: each measured process
        // ends with calls in flight.
        tokio::select! {
            accepted = plain.accept() => {
                let (stream, _) = accepted?;
                stream.set_nodelay(true)?;
                tokio::spawn(async move {
                    let _ = connection::serve(stream, answers).await;
                });
            }
            accepted = tls.accept() => {
                let (stream, _) = accepted?;
                stream.set_nodelay(true)?;
                let handshake = acceptor.accept(stream);
                tokio::spawn(async move {
                    if let Ok(stream) = handshake.await {
                        let _ = connection::serve(stream, answers).await;
                    }
                });
            }
        }
    }
}

/// Of all that is printed, only the line feeds of the certificate need to be escaped in JSON.
fn announce(port: u16, tls_port: u16, authority: &str) -> io::Result<()> {
    let authority = authority.replace("\r\n", "\n").replace('\n', "\\n");
    let mut stdout = io::stdout().lock();
    writeln!(stdout, r#"{{"port":{port},"tlsPort":{tls_port},"authority":"{authority}"}}"#)?;
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
