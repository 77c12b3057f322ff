//! One connection: TCP, perhaps through a proxy, perhaps TLS.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::uri::{InvalidUri, Scheme};
use ::http::{Extensions, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector, HttpInfo};
use hyper_util::rt::TokioIo;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tower_service::Service;

use super::connector;
use super::resolver::Resolver;
use crate::http::transport::proxies::{Proxy, tunnel};

pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// On the way to the proxy: the server had no part in it.
#[derive(Debug, thiserror::Error)]
#[error("the proxy cannot be reached")]
pub(super) struct ProxyUnreachable(#[source] BoxError);

pub(super) struct Dialer {
    pub tcp: HttpConnector<Resolver>,
    /// With servers.
    pub tls: Arc<ClientConfig>,
    pub via: Option<Via>,
    /// For the whole of it.
    pub limit: Option<Duration>,
}

/// The proxy on the way.
#[derive(Clone)]
pub(super) struct Via {
    proxy: Proxy,
    uri: Uri,
    tls: Arc<ClientConfig>,
}

impl Via {
    pub fn new(proxy: &Proxy, tls: &ClientConfig) -> Result<Self, InvalidUri> {
        Ok(Via { proxy: proxy.clone(), uri: proxy.origin().parse()?, tls: for_proxy(tls) })
    }
}

impl Dialer {
    pub async fn dial(&self, server: Uri) -> Result<Dialled, BoxError> {
        match self.limit {
            None => self.connect(server).await,
            Some(limit) => timeout(limit, self.connect(server))
                .await
                .unwrap_or_else(|_| Err(Box::new(io::Error::from(io::ErrorKind::TimedOut)))),
        }
    }

    async fn connect(&self, server: Uri) -> Result<Dialled, BoxError> {
        let secure = server.scheme() == Some(&Scheme::HTTPS);
        let Some(via) = &self.via else {
            let connection = self.reach(server.clone()).await?;
            return if secure { connection.encrypted(&self.tls, &server).await } else { Ok(connection) };
        };
        let mut connection = self.reach_proxy(via).await.map_err(ProxyUnreachable)?;
        if !secure {
            connection.names_server = true;
            return Ok(connection);
        }
        connector::handshaking();
        let host = server.host().ok_or_else(no_host)?;
        let authority = format!("{host}:{}", server.port_u16().unwrap_or(443));
        tunnel::open(connection.io.inner_mut(), &authority, via.proxy.headers()).await?;
        connection.encrypted(&self.tls, &server).await
    }

    async fn reach_proxy(&self, via: &Via) -> Result<Dialled, BoxError> {
        let connection = self.reach(via.uri.clone()).await?;
        if via.proxy.secure { connection.encrypted(&via.tls, &via.uri).await } else { Ok(connection) }
    }

    async fn reach(&self, place: Uri) -> Result<Dialled, BoxError> {
        let stream = self.tcp.clone().call(place).await?;
        let mut about = Extensions::new();
        stream.connected().get_extras(&mut about);
        let ends = about.remove();
        Ok(Dialled { io: TokioIo::new(Box::new(stream.into_inner())), ends, names_server: false })
    }
}

/// A proxy speaks HTTP/1.1, and has no business with the certificate that is meant for servers.
fn for_proxy(tls: &ClientConfig) -> Arc<ClientConfig> {
    let mut tls = tls.clone();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    tls.client_auth_cert_resolver = Arc::new(NoCertificate);
    // rustls resumes a session only where the client's certificate is the same.
    tls.resumption = rustls::client::Resumption::default();
    Arc::new(tls)
}

#[derive(Debug)]
struct NoCertificate;

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection as hyper wants it. TLS to a server may lie within TLS to a proxy: hence the box.
pub(super) struct Dialled {
    io: TokioIo<Box<dyn Stream>>,
    ends: Option<HttpInfo>,
    /// The request line is to name the server: a proxy reads it.
    names_server: bool,
}

impl Dialled {
    /// As the host of `uri`.
    async fn encrypted(self, tls: &Arc<ClientConfig>, uri: &Uri) -> Result<Self, BoxError> {
        let host = uri.host().ok_or_else(no_host)?;
        let host = host.trim_matches(['[', ']']);
        let name = ServerName::try_from(host.to_owned())?;
        connector::handshaking();
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, self.io.into_inner()).await?;
        Ok(Dialled { io: TokioIo::new(Box::new(stream)), ..self })
    }
}

fn no_host() -> BoxError {
    Box::new(io::Error::new(io::ErrorKind::InvalidInput, "a URL without a host"))
}

impl Connection for Dialled {
    fn connected(&self) -> Connected {
        let connected = Connected::new().proxy(self.names_server);
        match &self.ends {
            Some(ends) => connected.extra(ends.clone()),
            None => connected,
        }
    }
}

impl Read for Dialled {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for Dialled {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, buffers)
    }
}
