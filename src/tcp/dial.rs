//! From a target to a connection with it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::event::{Event, Owner, Secured};
use super::link::{Link, Stream};
use super::options::{Options, Route, Target, Tls};
use super::wire::{Shared, Wire};
use crate::fault::{Delivery, Fault, Phase};
use crate::http::transport::direct::addresses::Suspects;
use crate::http::transport::direct::race::race;
use crate::http::transport::options::TransportError;
use crate::http::transport::tls::{self, TlsOptions, Trust, handshake};

pub(super) struct Dialer {
    options: Arc<Options>,
    tls: Option<TlsConnector>,
    /// The addresses that failed lately come last.
    suspects: Mutex<Suspects>,
    place: Mutex<Place>,
}

/// Where the connection in the making stands, for a fault that says that it took too long.
#[derive(Debug, Clone, Copy)]
struct Place {
    phase: Phase,
    peer: Option<SocketAddr>,
}

impl Dialer {
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(options: Arc<Options>) -> Result<Self, TransportError> {
        let tls = match &options.tls {
            None => None,
            Some(Tls { options, alpn, reject_unauthorized, .. }) => {
                let trust = if *reject_unauthorized { options.trust.clone() } else { Trust::Everybody };
                let mut config = tls::config(&TlsOptions { trust, ..options.clone() }, || {})?;
                config.alpn_protocols.clone_from(alpn);
                Some(TlsConnector::from(Arc::new(config)))
            }
        };
        let place = Mutex::new(Place { phase: Phase::Connect, peer: None });
        Ok(Dialer { options, tls, suspects: Mutex::default(), place })
    }

    /// # Errors
    /// The fault, of which nothing was sent.
    pub async fn dial(&self, owner: &dyn Owner) -> Result<Link, Box<Fault>> {
        self.comes_to(Phase::Connect, None);
        let Some(limit) = self.options.connect_timeout else { return self.connect(owner).await };
        match timeout(limit, self.connect(owner)).await {
            Ok(made) => made,
            Err(_) => {
                let Place { phase, peer } = *lock(&self.place);
                if let Some(peer) = peer {
                    lock(&self.suspects).suspect(peer.ip(), Instant::now());
                }
                Err(self.at(Fault::new("ETIMEDOUT", phase, Delivery::NotSent).with_syscall("connect"), peer))
            }
        }
    }

    /// What TLS came to on a connection that was dialled here.
    pub fn secured(&self, link: &Link) -> Option<Secured> {
        let Tls { options, name, reject_unauthorized, .. } = self.options.tls.as_ref()?;
        let connection = link.tls()?;
        let certificates = connection.peer_certificates().unwrap_or_default();
        let refusal = if *reject_unauthorized { None } else { tls::refusal_of(&options.trust, certificates, name) };
        Some(Secured {
            protocol: match connection.protocol_version() {
                Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
                _ => "TLSv1.3",
            },
            cipher: connection.negotiated_cipher_suite().map_or_else(String::new, |suite| {
                // rustls' names are IANA's but for the mark of the version.
                format!("{:?}", suite.suite()).replace("TLS13_", "TLS_")
            }),
            alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
            refusal,
            certificates: certificates.iter().map(|certificate| certificate.to_vec()).collect(),
        })
    }

    async fn connect(&self, owner: &dyn Owner) -> Result<Link, Box<Fault>> {
        let (socket, peer) = match &self.options.target {
            Target::Tcp { host, port } => {
                let addresses = self.addresses(host, owner).await?;
                let (stream, peer) = self.tcp(addresses, *port).await?;
                (Shared::Tcp(Arc::new(stream)), Some(peer))
            }
            Target::Path(path) => (unix(path).await.map_err(|error| unreachable_path(&error, path))?, None),
        };
        self.comes_to(Phase::Handshake, peer);
        let set = socket
            .set_no_delay(self.options.no_delay)
            .and_then(|()| self.options.keep_alive.map_or(Ok(()), |after| socket.set_keep_alive(Some(after))));
        set.map_err(|error| self.at(Fault::from_io(&error, Phase::Connect, Delivery::NotSent), peer))?;
        let acknowledged_before = socket.info().map_or(0, |info| info.bytes_acked);
        let wire = Wire::new(socket);
        let stream = match (&self.tls, &self.options.tls) {
            (Some(connector), Some(tls)) => self.shake_hands(connector, tls.name.clone(), wire, peer).await?,
            _ => Stream::Plain(wire),
        };
        Ok(Link::new(stream, acknowledged_before))
    }

    async fn addresses(&self, host: &str, owner: &dyn Owner) -> Result<Vec<IpAddr>, Box<Fault>> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        self.comes_to(Phase::Resolve, None);
        let outcome = self.options.lookup.lookup(host).await;
        let outcome = outcome
            .map(|addresses| self.options.route.of(&addresses))
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
        owner.tell(Event::Lookup { host: host.to_owned(), outcome: outcome.clone() });
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
        let route = self.options.route;
        match race(ordered, |address| open(route, (address, port).into()), learn).await {
            Ok(won) => Ok((won.made, (won.address, port).into())),
            Err((error, address)) => {
                let fault = Fault::from_io(&error, Phase::Connect, Delivery::NotSent).with_syscall("connect");
                Err(self.at(fault, address.map(|address| (address, port).into())))
            }
        }
    }

    async fn shake_hands(
        &self,
        connector: &TlsConnector,
        name: ServerName<'static>,
        wire: Wire,
        peer: Option<SocketAddr>,
    ) -> Result<Stream, Box<Fault>> {
        match connector.connect(name, wire).await {
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

    fn comes_to(&self, phase: Phase, peer: Option<SocketAddr>) {
        *lock(&self.place) = Place { phase, peer };
    }

    fn at(&self, mut fault: Fault, peer: Option<SocketAddr>) -> Box<Fault> {
        if let Some(peer) = peer {
            fault.address = Some(peer.ip().to_string());
        }
        if let Target::Tcp { port, .. } = self.options.target {
            fault.port = Some(port);
        }
        Box::new(fault)
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
