//! From a target to a connection with it.

use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::event::{Event, Owner, Secured};
use super::link::Link;
use super::opener::{Opened, Opener};
use super::options::{Options, Tls};
use super::stream::Stream;
use crate::fault::Fault;
use crate::http::transport::options::TransportError;
use crate::http::transport::tls::{self, TlsOptions, Trust};

pub(super) struct Dialer {
    options: Arc<Options>,
    tls: Option<TlsConnector>,
    opener: Opener,
}

impl Dialer {
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(options: Arc<Options>) -> Result<Self, TransportError> {
        let tls = match &options.tls {
            None => None,
            Some(Tls { options, alpn, reject_unauthorized, .. }) => {
                Some(connector(options, alpn, *reject_unauthorized)?)
            }
        };
        let opener = Opener::new(options.route, Arc::clone(&options.lookup), options.no_delay, options.keep_alive);
        Ok(Dialer { options, tls, opener })
    }

    /// # Errors
    /// The fault, of which nothing was sent.
    pub async fn dial(&self, owner: &dyn Owner) -> Result<Link, Box<Fault>> {
        self.opener.begin();
        let Some(limit) = self.options.connect_timeout else { return self.connect(owner).await };
        timeout(limit, self.connect(owner)).await.unwrap_or_else(|_| Err(self.opener.too_late()))
    }

    /// What TLS came to on a connection that was dialled here.
    pub fn secured(&self, link: &Link) -> Option<Secured> {
        let Tls { options, name, reject_unauthorized, .. } = self.options.tls.as_ref()?;
        secured(link.stream(), options, name, *reject_unauthorized)
    }

    async fn connect(&self, owner: &dyn Owner) -> Result<Link, Box<Fault>> {
        let tell = |host: &str, outcome: &Result<_, _>| {
            owner.tell(Event::Lookup { host: host.to_owned(), outcome: outcome.clone() });
        };
        let Opened { mut stream, peer, acknowledged_before } = self.opener.open(&self.options.target, &tell).await?;
        if let (Some(connector), Some(tls)) = (&self.tls, &self.options.tls) {
            stream = self.opener.shake_hands(connector, tls.name.clone(), stream, peer).await?;
        }
        Ok(Link::new(stream, acknowledged_before))
    }
}

/// For handshakes with whoever is trusted, or with anybody.
///
/// # Errors
/// TLS cannot be set up.
pub(crate) fn connector(
    options: &TlsOptions,
    alpn: &[Vec<u8>],
    reject_unauthorized: bool,
) -> Result<TlsConnector, TransportError> {
    let trust = if reject_unauthorized { options.trust.clone() } else { Trust::Everybody };
    let mut config = tls::config(&TlsOptions { trust, ..options.clone() }, || {})?;
    config.alpn_protocols = alpn.to_vec();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// What TLS came to; `None`: it is not spoken.
pub(crate) fn secured(
    stream: &Stream,
    options: &TlsOptions,
    name: &ServerName<'_>,
    reject_unauthorized: bool,
) -> Option<Secured> {
    let connection = stream.tls()?;
    let certificates = connection.peer_certificates().unwrap_or_default();
    let refusal = if reject_unauthorized { None } else { tls::refusal_of(&options.trust, certificates, name) };
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
