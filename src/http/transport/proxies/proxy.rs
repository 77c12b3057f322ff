//! One proxy: how it is spoken to, where it is, and what it alone is told.

use std::fmt;

use ::http::header::PROXY_AUTHORIZATION;
use ::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use url::{Host, Url};

/// The protocol that a proxy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyScheme {
    Http,
    /// HTTP over TLS.
    Https,
    /// It is given IPv4 addresses, and no credentials.
    Socks4,
    /// It resolves names itself.
    Socks4a,
    /// It is given addresses: names are resolved here.
    Socks5,
    /// It resolves names itself.
    Socks5h,
}

impl ProxyScheme {
    fn parse(scheme: &str) -> Option<Self> {
        Some(match scheme {
            "http" => ProxyScheme::Http,
            "https" => ProxyScheme::Https,
            "socks4" => ProxyScheme::Socks4,
            "socks4a" => ProxyScheme::Socks4a,
            "socks5" => ProxyScheme::Socks5,
            "socks5h" => ProxyScheme::Socks5h,
            _ => return None,
        })
    }

    pub fn as_str(self) -> &'static str {
        match self {
            ProxyScheme::Http => "http",
            ProxyScheme::Https => "https",
            ProxyScheme::Socks4 => "socks4",
            ProxyScheme::Socks4a => "socks4a",
            ProxyScheme::Socks5 => "socks5",
            ProxyScheme::Socks5h => "socks5h",
        }
    }

    pub fn is_socks(self) -> bool {
        !matches!(self, ProxyScheme::Http | ProxyScheme::Https)
    }

    /// Has a place for a name and a password in its own handshake (RFC 1929).
    fn takes_credentials(self) -> bool {
        matches!(self, ProxyScheme::Socks5 | ProxyScheme::Socks5h)
    }

    fn default_port(self) -> u16 {
        match self {
            ProxyScheme::Http => 80,
            ProxyScheme::Https => 443,
            // RFC 1928, section 3.
            _ => 1080,
        }
    }
}

/// One proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    pub scheme: ProxyScheme,
    pub host: Host,
    pub port: u16,
    /// What only the proxy is told: its `Proxy-Authorization`, and what the caller adds. None for SOCKS.
    headers: HeaderMap,
    /// For SOCKS 5: user name and password.
    credentials: Option<(String, String)>,
}

/// Each part of SOCKS 5 credentials, in bytes: its length is one byte (RFC 1929, section 2).
const LONGEST_CREDENTIAL: usize = 255;

impl Proxy {
    /// `headers` are for the proxy alone. Credentials in `url` are not read: those for HTTP belong into the headers, those
    /// for SOCKS to [`with_credentials`](Self::with_credentials).
    ///
    /// # Errors
    /// What is wrong, without what was given: it may be a secret.
    pub fn new(url: &str, headers: &[(String, String)]) -> Result<Self, InvalidProxy> {
        let url = Url::parse(url).map_err(|_| InvalidProxy("its URL"))?;
        let scheme = ProxyScheme::parse(url.scheme()).ok_or(InvalidProxy("the scheme of its URL"))?;
        // In a URL of another scheme than HTTP's, an address is not told from a name, nor are letters made small.
        let host = Host::parse(url.host_str().unwrap_or_default()).map_err(|_| InvalidProxy("the host of its URL"))?;
        let port = url.port().unwrap_or(scheme.default_port());
        if scheme.is_socks() && !headers.is_empty() {
            return Err(InvalidProxy("a header: SOCKS has none"));
        }
        let mut told = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::try_from(name).map_err(|_| InvalidProxy("the name of a header"))?;
            // Latin1, as header values travel elsewhere.
            let bytes = value.chars().map(|c| u8::try_from(c).map_err(|_| InvalidProxy("the value of a header")));
            let bytes = bytes.collect::<Result<Vec<u8>, _>>()?;
            let mut value = HeaderValue::from_bytes(&bytes).map_err(|_| InvalidProxy("the value of a header"))?;
            value.set_sensitive(name == PROXY_AUTHORIZATION);
            told.append(name, value);
        }
        let proxy = Proxy { scheme, host, port, headers: told, credentials: None };
        // reqwest passes over a proxy whose URL is none to the http crate, without a word, and connects directly.
        proxy.origin().parse::<Uri>().map_err(|_| InvalidProxy("the host of its URL"))?;
        Ok(proxy)
    }

    /// Of SOCKS 5, as they are: not percent-encoded.
    ///
    /// # Errors
    /// The proxy's protocol has no place for them.
    pub fn with_credentials(self, user: &str, password: &str) -> Result<Self, InvalidProxy> {
        let too_long = user.len().max(password.len()) > LONGEST_CREDENTIAL;
        if too_long || !self.scheme.takes_credentials() {
            return Err(InvalidProxy("its credentials"));
        }
        Ok(Proxy { credentials: Some((user.into(), password.into())), ..self })
    }

    /// What the proxy is told besides a request, or besides `CONNECT`.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Where it is to be connected to.
    pub fn origin(&self) -> String {
        format!("{}://{}:{}", self.scheme.as_str(), self.host, self.port)
    }

    /// With the credentials: for whoever speaks with the proxy, and for nobody else.
    pub(in crate::http::transport) fn url_with_secrets(&self) -> String {
        match &self.credentials {
            None => self.origin(),
            Some((user, password)) => {
                let (user, password) = (percent_encoded(user), percent_encoded(password));
                format!("{}://{user}:{password}@{}:{}", self.scheme.as_str(), self.host, self.port)
            }
        }
    }
}

impl fmt::Debug for Proxy {
    /// Without the headers and the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Proxy").field(&self.origin()).finish()
    }
}

/// All but letters and digits: whatever else may stand in a URL's credentials, the libraries that read it disagree.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |encoded, byte| match byte {
        byte if byte.is_ascii_alphanumeric() => encoded + char::from(byte).encode_utf8(&mut [0; 4]),
        byte => encoded + &format!("%{byte:02X}"),
    })
}

/// A proxy that cannot be used as it is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a proxy is not valid: {0}")]
pub struct InvalidProxy(&'static str);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_has_its_port() {
        for (url, origin, socks) in [
            ("http://a.test", "http://a.test:80", false),
            ("https://a.test", "https://a.test:443", false),
            ("socks4://127.0.0.1", "socks4://127.0.0.1:1080", true),
            ("socks4a://A.test:80", "socks4a://a.test:80", true),
            ("socks5://[::1]:443", "socks5://[::1]:443", true),
            ("SOCKS5H://b\u{fc}cher.test/", "socks5h://xn--bcher-kva.test:1080", true),
        ] {
            let proxy = Proxy::new(url, &[]).unwrap();
            assert_eq!((&*proxy.origin(), proxy.scheme.is_socks()), (origin, socks));
        }
        assert!(matches!(Proxy::new("socks5://127.1", &[]).unwrap().host, Host::Ipv4(_)));
        for wrong in ["socks://a.test", "socks5:a.test", "socks5://", "socks5://a%20b", "socks5://a\"b", "a.test"] {
            assert!(Proxy::new(wrong, &[]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_a_protocol_has_no_place_for_is_refused() {
        let proxy = |url| Proxy::new(url, &[]).unwrap();
        for url in ["http://a.test", "https://a.test", "socks4://a.test", "socks4a://a.test"] {
            assert!(proxy(url).with_credentials("user", "").is_err(), "{url}");
        }
        let longest = "x".repeat(LONGEST_CREDENTIAL);
        assert!(proxy("socks5://a.test").with_credentials(&longest, &longest).is_ok());
        assert!(proxy("socks5://a.test").with_credentials(&(longest.clone() + "x"), "").is_err());
        assert!(proxy("socks5h://a.test").with_credentials("", &(longest + "x")).is_err());
        assert!(Proxy::new("socks5://a.test", &[("x-team".into(), "a".into())]).is_err());
    }

    #[test]
    fn credentials_are_never_shown() {
        let headers = [("Proxy-Authorization".to_owned(), "Basic c2VjcmV0".to_owned())];
        let proxy = Proxy::new("https://[::1]:3128", &headers).unwrap();
        assert_eq!(format!("{proxy:?}"), r#"Proxy("https://[::1]:3128")"#);
        assert!(!format!("{:?}", proxy.headers()).contains("c2VjcmV0"));
        let socks = Proxy::new("socks5://[::1]", &[]).unwrap().with_credentials("user", "c2VjcmV0").unwrap();
        assert_eq!(format!("{socks:?}"), r#"Proxy("socks5://[::1]:1080")"#);
    }

    #[test]
    fn every_character_of_a_password_survives_the_url() {
        let all: String = (' '..='~').chain("\u{e9}\u{1f511}".chars()).collect();
        let socks = Proxy::new("socks5://a.test", &[]).unwrap().with_credentials(&all, "x").unwrap();
        let url = socks.url_with_secrets();
        assert!(url.parse::<Uri>().is_ok() && Url::parse(&url).is_ok_and(|parsed| parsed.as_str().starts_with(&url)));
        let between = url.strip_prefix("socks5://").unwrap().strip_suffix(":x@a.test:1080").unwrap();
        assert!(between.bytes().all(|byte| byte == b'%' || byte.is_ascii_alphanumeric()));
    }
}
