//! From accept to the upstream: what strikes here does so before the upstream has heard of the client.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::time::Instant;

use super::ending::Ending;
use super::flow::failure;
use super::{Connection, until};
use crate::proxy::listen::code_of;
use crate::proxy::lookup::lookup;
use crate::proxy::plan::Direction;
use crate::proxy::shared::Shared;
use crate::proxy::timeline::Event;

impl Connection<'_> {
    /// Resolves when the upstream has been reached.
    pub(super) async fn open(&mut self) -> Result<(), Ending> {
        let shared = self.shared;
        let mut connecting = std::pin::pin!(connect(shared));
        loop {
            let now = Instant::now();
            self.take_news(now);
            if let Some(order) = self.control.order() {
                return Err(Ending::Ordered(order));
            }
            while let Some(index) = self.faults.reached_at_accept() {
                self.strike(index, now)?;
            }
            // Silence is measured from when there is somebody to break it.
            while let Some(index) = self.faults.due(now, None) {
                self.strike(index, now)?;
            }
            let may_connect = !shared.is_paused() && !self.faults.keep_from_connecting(now);
            if !may_connect {
                // Not left half done: a handshake would go on without us, and a lookup keep others from theirs.
                connecting.set(connect(shared));
            }
            tokio::select! {
                connected = &mut connecting, if may_connect => {
                    let upstream = connected.map_err(|code| Ending::UpstreamFailed { code })?;
                    let _ = upstream.set_nodelay(true);
                    self.upstream = Some(upstream);
                    self.record(Event::Connect);
                    self.last_activity = Instant::now();
                    return Ok(());
                }
                () = self.control.news() => {}
                () = until(self.faults.next_time(None)) => {}
                // Only by its RST: a client that has sent FIN may wait for an answer. Who does not is kept no longer than
                // the system tries to connect.
                code = failure(self.client.as_ref()) => {
                    return Err(Ending::Peer { side: Direction::Request, code });
                }
            }
        }
    }
}

/// Tries the upstream's addresses in turn. The error is a code.
async fn connect(shared: &Shared) -> Result<TcpStream, Cow<'static, str>> {
    let upstream = &shared.upstream;
    // A name is looked up by a thread of its own, and a thousand connections must not start a thousand. Cannot fail:
    // the semaphore is never closed.
    let permit = Arc::clone(&shared.lookups).acquire_owned().await;
    let addresses = lookup(&upstream.host, upstream.port, permit).await.map_err(|failed| failed.code)?;
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(code_of(&last))
}
