//! From a target to an open socket, and to TLS over it.
//!
//! Whatever holds connections makes them here: the addresses that failed lately come last, the others race, and a fault
//! says where on the way it struck.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::options::{Route, Target};
use super::stream::Stream;
use super::wire::{Shared, Wire};
use crate::fault::{Delivery, Fault, Phase};
use crate::http::transport::direct::addresses::Suspects;
use crate::http::transport::direct::race::race;
use crate::http::transport::lookup::Lookup;
use crate::http::transport::tls::handshake;

pub(crate) struct Opener {
    pub route: Route,
    pub lookup: Arc<dyn Lookup>,
    pub no_delay: bool,
    pub keep_alive: Option<Duration>,
    /// The addresses that failed lately come last.
    suspects: Mutex<Suspects>,
    place: Mutex<Place>,
}

/// Where the connection in the making stands, for a fault that says that it took too long.
#[derive(Debug, Clone, Copy)]
struct Place {
    phase: Phase,
    peer: Option<SocketAddr>,
    port: Option<u16>,
}

/// A socket that is connected.
pub(crate) struct Opened {
    pub stream: Stream,
    pub peer: Option<SocketAddr>,
    /// What the system called acknowledged when the connection was new: Linux counts the SYN.
    pub acknowledged_before: u64,
}

/// Who is told what a name was found to be.
pub(crate) type TellLookup<'a> = &'a (dyn Fn(&str, &Result<Vec<IpAddr>, Box<Fault>>) + Sync);

impl Opener {
    pub fn new(route: Route, lookup: Arc<dyn Lookup>, no_delay: bool, keep_alive: Option<Duration>) -> Self {
        let place = Mutex::new(Place { phase: Phase::Connect, peer: None, port: None });
        Opener { route, lookup, no_delay, keep_alive, suspects: Mutex::default(), place }
    }

    /// A connection is to be made.
    pub fn begin(&self) {
        self.comes_to(Phase::Connect, None);
    }

    /// It has taken too long.
    pub fn too_late(&self) -> Box<Fault> {
        let Place { phase, peer, .. } = *lock(&self.place);
        if let Some(peer) = peer {
            lock(&self.suspects).suspect(peer.ip(), Instant::now());
        }
        self.at(Fault::new("ETIMEDOUT", phase, Delivery::NotSent).with_syscall("connect"), peer)
    }

    /// # Errors
    /// The fault, of which nothing was sent.
    pub async fn open(&self, target: &Target, tell: TellLookup<'_>) -> Result<Opened, Box<Fault>> {
        lock(&self.place).port = match target {
            Target::Tcp { port, .. } => Some(*port),
            Target::Path(_) => None,
        };
        let (socket, peer) = match target {
            Target::Tcp { host, port } => {
                let addresses = self.addresses(host, tell).await?;
                let (stream, peer) = self.tcp(addresses, *port).await?;
                (Shared::Tcp(Arc::new(stream)), Some(peer))
            }
            Target::Path(path) => (unix(path).await.map_err(|error| unreachable_path(&error, path))?, None),
        };
        self.comes_to(Phase::Handshake, peer);
        let set = socket
            .set_no_delay(self.no_delay)
            .and_then(|()| self.keep_alive.map_or(Ok(()), |after| socket.set_keep_alive(Some(after))));
        set.map_err(|error| self.at(Fault::from_io(&error, Phase::Connect, Delivery::NotSent), peer))?;
        let acknowledged_before = socket.info().map_or(0, |info| info.bytes_acked);
        Ok(Opened { stream: Stream::Plain(Wire::new(socket)), peer, acknowledged_before })
    }

    /// TLS over what is open.
    ///
    /// # Errors
    /// As those of [`open`](Self::open).
    pub async fn shake_hands(
        &self,
        connector: &TlsConnector,
        name: ServerName<'static>,
        stream: Stream,
        peer: Option<SocketAddr>,
    ) -> Result<Stream, Box<Fault>> {
        match connector.connect(name, stream).await {
            Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
            Err(error) => {
                // What TLS has against the peer it has at any address.
                if let (Some(peer), None) = (peer, handshake::verdict(&error)) {
                    lock(&self.suspects).suspect(peer.ip(), Instant::now());
                }
                Err(self.at(handshake::handshake_failed(&error), peer))
            }
        }
    }

    /// With the address that it concerns.
    pub fn at(&self, mut fault: Fault, peer: Option<SocketAddr>) -> Box<Fault> {
        if let Some(peer) = peer {
            fault.address = Some(peer.ip().to_string());
        }
        if let Some(port) = lock(&self.place).port {
            fault.port = Some(port);
        }
        Box::new(fault)
    }

    async fn addresses(&self, host: &str, tell: TellLookup<'_>) -> Result<Vec<IpAddr>, Box<Fault>> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        self.comes_to(Phase::Resolve, None);
        let outcome = self.lookup.lookup(host).await;
        let outcome = outcome
            .map(|addresses| self.route.of(&addresses))
            .map_err(|failed| self.at(failed.fault(Phase::Resolve, Delivery::NotSent), None))
            .and_then(|addresses| match addresses.is_empty() {
                false => Ok(addresses),
                true => {
                    let none = Fault::new("ENOTFOUND", Phase::Resolve, Delivery::NotSent)
                        .with_syscall("getaddrinfo")
                        .with_address(host)
                        .with_reason("The name has no address of the family that was asked for.");
                    Err(self.at(none, None))
                }
            });
        tell(host, &outcome);
        outcome
    }

    async fn tcp(&self, addresses: Vec<IpAddr>, port: u16) -> Result<(TcpStream, SocketAddr), Box<Fault>> {
        let ordered = lock(&self.suspects).order(&addresses, Instant::now());
        let several = ordered.len() > 1;
        self.comes_to(Phase::Connect, if several { None } else { ordered.first().map(|one| (*one, port).into()) });
        let learn = |lesson| {
            if several {
                lock(&self.suspects).learn(lesson, Instant::now());
            }
        };
        let route = self.route;
        match race(ordered, |address| open(route, (address, port).into()), learn).await {
            Ok(won) => Ok((won.made, (won.address, port).into())),
            Err((error, address)) => {
                let fault = Fault::from_io(&error, Phase::Connect, Delivery::NotSent).with_syscall("connect");
                Err(self.at(fault, address.map(|address| (address, port).into())))
            }
        }
    }

    fn comes_to(&self, phase: Phase, peer: Option<SocketAddr>) {
        let mut place = lock(&self.place);
        (place.phase, place.peer) = (phase, peer);
    }
}

impl Route {
    /// Those of a name's addresses that may be tried.
    fn of(&self, addresses: &[IpAddr]) -> Vec<IpAddr> {
        let fits = |address: &&IpAddr| {
            self.family.is_none_or(|family| family.has(address))
                && self.local_address.is_none_or(|local| local.is_ipv4() == address.is_ipv4())
        };
        let most = if self.first_only { 1 } else { usize::MAX };
        addresses.iter().filter(fits).take(most).copied().collect()
    }
}

async fn open(route: Route, address: SocketAddr) -> io::Result<TcpStream> {
    let Route { local_address, local_port, .. } = route;
    if local_address.is_none() && local_port == 0 {
        return TcpStream::connect(address).await;
    }
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // The port is the last connection's, which may be waiting out its end there.
    #[cfg(not(windows))]
    socket.set_reuseaddr(local_port != 0)?;
    let any = if address.is_ipv4() { IpAddr::from([0; 4]) } else { IpAddr::from([0; 16]) };
    socket.bind((local_address.unwrap_or(any), local_port).into())?;
    socket.connect(address).await
}

#[cfg(unix)]
async fn unix(path: &Path) -> io::Result<Shared> {
    tokio::net::UnixStream::connect(path).await.map(|stream| Shared::Unix(Arc::new(stream)))
}

#[cfg(not(unix))]
async fn unix(_path: &Path) -> io::Result<Shared> {
    Err(io::ErrorKind::Unsupported.into())
}

fn unreachable_path(error: &io::Error, path: &Path) -> Box<Fault> {
    let fault = Fault::from_io(error, Phase::Connect, Delivery::NotSent).with_syscall("connect");
    Box::new(fault.with_address(path.display().to_string()))
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // Held for single statements, each of which leaves it whole.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
