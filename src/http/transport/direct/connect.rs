//! From an origin to a connection to it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use url::Host;

use super::connection::{Connection, Stream};
use super::evidence;
use super::making::Making;
use super::origins::Origin;
use super::pool::{Permit, Taken};
use super::race::{Won, race};
use super::shared::Shared;
use super::wire::{Socket, Wire};
use crate::fault::{Delivery, Fault, Phase};
use crate::http::transport::Failure;
use crate::http::transport::lookup::Lookup;
use crate::http::transport::proxies::{self, tunnel};
use crate::http::transport::tls::handshake::{handshake_failed, verdict};

/// A peer that vanished without a word (power cut, dropped NAT entry) while we wait for it is found after 60 s: 15 s of
/// silence, then three unanswered probes, 15 s apart. Linux sends none while data is unacknowledged.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_PROBES: u32 = 3;

pub(super) struct Connector {
    pub lookup: Arc<dyn Lookup>,
    pub socket_path: Option<PathBuf>,
    /// With servers.
    pub tls: TlsConnector,
    /// With servers that demand HTTP/1.1.
    pub http1_tls: TlsConnector,
    /// With proxies.
    pub proxy_tls: TlsConnector,
}

impl Connector {
    pub async fn connection(
        self: Arc<Self>,
        origin: Arc<Origin>,
        making: Arc<Making>,
        mut permit: Permit,
    ) -> Result<Taken, Failure> {
        let connected = self.connect(&origin, &making).await;
        let (stream, rtt) = connected.map_err(|fault| Failure { fault: *fault, reused: false })?;
        let made = if stream.speaks_http2() {
            Shared::new(stream, rtt, permit).await.map(|shared| Taken::Shared(origin.pool.made_shared(shared)))
        } else {
            origin.pool.made_own(&mut permit);
            Connection::new(stream, rtt, permit).await.map(|connection| Taken::Own(Box::new(connection)))
        };
        made.map_err(|error| {
            let fault = evidence::before_answer(&error, false, false);
            Failure { fault: at(fault, making.peer(), origin.next_port()), reused: false }
        })
    }

    /// # Errors
    /// The fault, of which nothing was sent.
    async fn connect(&self, origin: &Origin, making: &Making) -> Result<(Stream, Duration), Box<Fault>> {
        making.has_come_to(Phase::Connect);
        let Reached { socket, peer, rtt } = match &self.socket_path {
            None => self.tcp(origin, making).await.map_err(|fault| to_proxy(origin, fault))?,
            Some(path) => Reached { socket: unix(path).await?, peer: None, rtt: Duration::ZERO },
        };
        let mut stream = Stream::Plain { wire: Wire::new(socket) };
        if let Some(via) = &origin.via {
            making.has_come_to(Phase::Handshake);
            if let Some(name) = &via.secure {
                let shaking = shake_hands(&self.proxy_tls, name, stream, origin, peer);
                stream = shaking.await.map_err(|fault| to_proxy(origin, fault))?;
            }
            if origin.secure.is_some() {
                let authority = format!("{}:{}", origin.host, origin.port);
                tunnel::open(&mut stream, &authority, via.proxy.headers())
                    .await
                    .map_err(|failed| Box::new(at(failed.fault(), peer, origin.next_port())))?;
            }
        }
        if let Some(name) = &origin.secure {
            making.has_come_to(Phase::Handshake);
            let tls = if origin.pool.demands_http1() { &self.http1_tls } else { &self.tls };
            stream = shake_hands(tls, name, stream, origin, peer).await?;
        }
        Ok((stream, rtt))
    }

    async fn tcp(&self, origin: &Origin, making: &Making) -> Result<Reached, Box<Fault>> {
        let found;
        let one;
        let addresses: &[IpAddr] = match origin.next_host() {
            Host::Ipv4(address) => {
                one = [IpAddr::from(*address)];
                &one
            }
            Host::Ipv6(address) => {
                one = [IpAddr::from(*address)];
                &one
            }
            Host::Domain(name) => {
                making.has_come_to(Phase::Resolve);
                found = self.lookup.lookup(name).await.map_err(|failed| {
                    let mut fault = failed.fault(Phase::Resolve, Delivery::NotSent);
                    fault.port = Some(origin.next_port());
                    Box::new(fault)
                })?;
                making.has_come_to(Phase::Connect);
                &found
            }
        };
        let won = connect_first(addresses, origin, making).await.map_err(|(error, address)| {
            let fault = Fault::from_io(&error, Phase::Connect, Delivery::NotSent)
                .with_syscall("connect")
                .with_detail(error.to_string());
            Box::new(at(fault, address.map(|address| (address, origin.next_port()).into()), origin.next_port()))
        })?;
        let peer = (won.address, origin.next_port()).into();
        making.leads_to(Some(peer));
        Ok(Reached { socket: Socket::Tcp { stream: won.made }, peer: Some(peer), rtt: won.took })
    }
}

/// The other end of a socket.
struct Reached {
    socket: Socket,
    peer: Option<SocketAddr>,
    /// One round trip: what the handshake of TCP took.
    rtt: Duration,
}

/// The first address that connects.
async fn connect_first(
    addresses: &[IpAddr],
    origin: &Origin,
    making: &Making,
) -> Result<Won<TcpStream>, (io::Error, Option<IpAddr>)> {
    let port = origin.next_port();
    let ordered = origin.pool.suspects().order(addresses, Instant::now());
    let several = ordered.len() > 1;
    making.leads_to(match ordered[..] {
        [address] => Some((address, port).into()),
        _ => None,
    });
    let learn = |lesson| {
        if several {
            origin.pool.suspects().learn(lesson, Instant::now());
        }
    };
    race(ordered, |address| open((address, port).into()), learn).await
}

async fn shake_hands(
    tls: &TlsConnector,
    name: &ServerName<'static>,
    stream: Stream,
    origin: &Origin,
    peer: Option<SocketAddr>,
) -> Result<Stream, Box<Fault>> {
    match tls.connect(name.clone(), stream).await {
        Ok(stream) => Ok(Stream::Tls { stream: Box::new(stream) }),
        Err(error) => {
            // What TLS has against the peer it has at any address.
            if let (Some(peer), None) = (peer, verdict(&error)) {
                origin.pool.suspects().suspect(peer.ip(), Instant::now());
            }
            Err(Box::new(at(handshake_failed(&error), peer, origin.next_port())))
        }
    }
}

/// The fault of a connection that leads to the proxy, if there is one.
fn to_proxy(origin: &Origin, fault: Box<Fault>) -> Box<Fault> {
    if origin.via.is_some() { Box::new(proxies::unreachable(*fault)) } else { fault }
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE);
    #[cfg(not(target_os = "openbsd"))]
    let keepalive = keepalive.with_interval(KEEPALIVE);
    #[cfg(not(any(target_os = "openbsd", target_os = "windows")))]
    let keepalive = keepalive.with_retries(KEEPALIVE_PROBES);
    SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    Ok(stream)
}

#[cfg(unix)]
async fn unix(path: &std::path::Path) -> Result<Socket, Box<Fault>> {
    match UnixStream::connect(path).await {
        Ok(stream) => Ok(Socket::Unix { stream }),
        Err(error) => Err(Box::new(
            Fault::from_io(&error, Phase::Connect, Delivery::NotSent)
                .with_syscall("connect")
                .with_address(path.display().to_string())
                .with_detail(error.to_string()),
        )),
    }
}

#[cfg(not(unix))]
async fn unix(_path: &std::path::Path) -> Result<Socket, Box<Fault>> {
    let unsupported = io::Error::from(io::ErrorKind::Unsupported);
    Err(Box::new(Fault::from_io(&unsupported, Phase::Connect, Delivery::NotSent)))
}

fn at(mut fault: Fault, peer: Option<SocketAddr>, port: u16) -> Fault {
    fault.address = peer.map(|peer| peer.ip().to_string());
    fault.port = Some(port);
    fault
}
