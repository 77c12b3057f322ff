//! From a request to a connection that speaks WebSocket: a socket, a proxy's tunnel, TLS, the upgrade, redirects.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::Host;

use super::handshake::{self, NotUpgraded, Refusal, Upgraded};
use super::options::Options;
use super::request::Request;
use crate::fault::{Delivery, Fault, Phase};
use crate::http::transport::options::TransportError;
use crate::http::transport::proxies::{self, Proxy, ProxyScheme, tunnel};
use crate::tcp::dial::{connector, secured};
use crate::tcp::event::Secured;
use crate::tcp::link::Link;
use crate::tcp::opener::{Opened, Opener};
use crate::tcp::options::Target;

/// Called before a first handshake of TLS: it may take long to find out whom to trust.
pub type BeforeTls = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// Makes the connections of one WebSocket, one at a time.
pub struct Way {
    options: Arc<Options>,
    opener: Opener,
    before_tls: BeforeTls,
    /// Made when TLS is first spoken.
    connectors: Mutex<Option<Connectors>>,
}

#[derive(Clone)]
struct Connectors {
    servers: TlsConnector,
    proxies: TlsConnector,
}

/// What came about.
pub struct Made {
    pub link: Link,
    pub upgraded: Answer,
    /// Where it leads, after redirects.
    pub request: Request,
    pub tls: Option<Secured>,
}

pub struct Answer {
    pub rest: bytes::Bytes,
    pub agreed: Option<super::extension::Agreed>,
    pub protocol: String,
    pub extensions: String,
    pub headers: Vec<(String, String)>,
}

/// Why nothing came about.
pub enum NotMade {
    Refused(Box<Refusal>),
    Failed(Box<Fault>),
}

/// A redirect that is followed.
pub struct Redirect<'a> {
    pub status: u16,
    pub url: &'a str,
    pub headers: Vec<(String, String)>,
}

impl Way {
    pub fn new(options: Arc<Options>, before_tls: BeforeTls) -> Self {
        let opener = Opener::new(options.route, Arc::clone(&options.lookup), options.no_delay, options.keep_alive);
        Way { options, opener, before_tls, connectors: Mutex::default() }
    }

    pub async fn go(&self, request: Request, tell: impl Fn(Redirect<'_>)) -> Result<Made, NotMade> {
        self.opener.begin();
        let going = self.follow(request, tell);
        let Some(limit) = self.options.handshake_timeout else { return going.await };
        timeout(limit, going)
            .await
            .unwrap_or_else(|_| Err(NotMade::Failed(Box::new(Fault { syscall: None, ..*self.opener.too_late() }))))
    }

    async fn follow(&self, mut request: Request, tell: impl Fn(Redirect<'_>)) -> Result<Made, NotMade> {
        let mut left = self.options.redirects;
        loop {
            let (status, location, headers) = match self.upgrade(&request).await {
                Ok((link, upgraded, tls)) => return Ok(Made { link, upgraded, request, tls }),
                Err(NotUpgraded::Failed(fault)) => return Err(NotMade::Failed(fault)),
                Err(NotUpgraded::Refused(refusal)) => return Err(NotMade::Refused(refusal)),
                Err(NotUpgraded::Elsewhere { status, location, headers }) => (status, location, headers),
            };
            if left == 0 {
                return Err(match self.options.redirects {
                    0 => NotMade::Refused(Box::new(unfollowed(status, headers))),
                    _ => NotMade::Failed(Box::new(Fault::new(
                        "ERR_TOO_MANY_REDIRECTS",
                        Phase::Handshake,
                        Delivery::NotSent,
                    ))),
                });
            }
            left -= 1;
            request = request.redirected(&location).map_err(NotMade::Failed)?;
            tell(Redirect { status, url: &request.ws_url(), headers });
        }
    }

    async fn upgrade(&self, request: &Request) -> Result<(Link, Answer, Option<Secured>), NotUpgraded> {
        let (opened, tls) = self.open(request).await.map_err(NotUpgraded::Failed)?;
        let Opened { stream, peer, acknowledged_before } = opened;
        let upgraded = handshake::upgrade(stream, request, self.options.deflate.as_ref()).await;
        let Upgraded { stream, rest, agreed, protocol, extensions, headers } =
            upgraded.map_err(|error| match error {
                NotUpgraded::Failed(fault) => NotUpgraded::Failed(self.opener.at(*fault, peer)),
                other => other,
            })?;
        let mut link = Link::new(stream, acknowledged_before);
        // What has left so far was the handshake.
        link.flushed();
        Ok((link, Answer { rest, agreed, protocol, extensions, headers }, tls))
    }

    async fn open(&self, request: &Request) -> Result<(Opened, Option<Secured>), Box<Fault>> {
        let proxy = self.options.proxies.as_ref().and_then(|rules| rules.proxy_for(&request.url));
        let Some(proxy) = proxy else {
            let opened = self.opener.open(&request.target(), &|_, _| {}).await?;
            return self.secure(request, opened).await;
        };
        let through = async {
            let mut opened = self.opener.open(&target_of(proxy), &|_, _| {}).await?;
            if proxy.scheme == ProxyScheme::Https {
                let name = match &proxy.host {
                    Host::Domain(name) => rustls::pki_types::ServerName::try_from(name.clone()).ok(),
                    Host::Ipv4(address) => Some(std::net::IpAddr::from(*address).into()),
                    Host::Ipv6(address) => Some(std::net::IpAddr::from(*address).into()),
                };
                let name = name.ok_or_else(|| unusable("The proxy's host is no name that TLS knows."))?;
                let tls = self.connectors().await?;
                let Opened { stream, peer, acknowledged_before } = opened;
                let stream = self.opener.shake_hands(&tls.proxies, name, stream, peer).await?;
                opened = Opened { stream, peer, acknowledged_before };
            }
            Ok::<_, Box<Fault>>(opened)
        };
        let mut opened = through.await.map_err(|fault| Box::new(proxies::unreachable(*fault)))?;
        let tunnelled = tunnel::open(&mut opened.stream, &request.authority(), proxy.headers()).await;
        tunnelled.map_err(|failed| self.opener.at(failed.fault(), opened.peer))?;
        self.secure(request, opened).await
    }

    async fn secure(&self, request: &Request, opened: Opened) -> Result<(Opened, Option<Secured>), Box<Fault>> {
        if !request.is_secure() {
            return Ok((opened, None));
        }
        let tls = &self.options.tls;
        let name = match &tls.name {
            Some(name) => name.clone(),
            None => request.server_name()?,
        };
        let connectors = self.connectors().await?;
        let Opened { stream, peer, acknowledged_before } = opened;
        let stream = self.opener.shake_hands(&connectors.servers, name.clone(), stream, peer).await?;
        let secured = secured(&stream, &tls.options, &name, tls.reject_unauthorized);
        Ok((Opened { stream, peer, acknowledged_before }, secured))
    }

    async fn connectors(&self) -> Result<Connectors, Box<Fault>> {
        let lock = || self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = &*lock() {
            return Ok(made.clone());
        }
        (self.before_tls)().await;
        let made = self.make_connectors().map_err(|error| unusable(error.to_string()))?;
        *lock() = Some(made.clone());
        Ok(made)
    }

    fn make_connectors(&self) -> Result<Connectors, TransportError> {
        // RFC 9112's name: a WebSocket begins as HTTP/1.1, and a server that is offered nothing may choose HTTP/2.
        let alpn = [b"http/1.1".to_vec()];
        let tls = &self.options.tls;
        let servers = connector(&tls.options, &alpn, tls.reject_unauthorized)?;
        let proxies = TlsConnector::from(proxies::tls(servers.config()));
        Ok(Connectors { servers, proxies })
    }
}

fn target_of(proxy: &Proxy) -> Target {
    let host = match &proxy.host {
        Host::Domain(name) => name.clone(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    Target::Tcp { host, port: proxy.port }
}

/// A redirect, where none is to be followed, is an answer like others.
fn unfollowed(status: u16, headers: Vec<(String, String)>) -> Refusal {
    let phrase = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut fault = Fault::from_status(status, None);
    fault.phase = Phase::Handshake;
    Refusal { status, phrase: phrase.unwrap_or_default().to_owned(), headers, body: Vec::new(), fault }
}

fn unusable(reason: impl Into<std::borrow::Cow<'static, str>>) -> Box<Fault> {
    let fault = Fault::new("ERR_PROXY_INVALID_CONFIG", Phase::Connect, Delivery::NotSent).with_reason(reason);
    Box::new(Fault { transient: false, ..fault })
}
