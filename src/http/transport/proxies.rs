//! Which URL goes through which proxy.
//!
//! Not every host is to be reached through a proxy: a company's proxy knows the internet and not the machine next
//! door. `NO_PROXY` says which ones, a convention without a standard: programs read it differently, and a host that
//! one program reaches directly is sent to the proxy by the next. Ours reads it exactly as the `EnvHttpProxyAgent` of
//! undici 8 does, from which Node's own fetch takes the rule; a test holds the two against each other.

mod faults;
mod proxy;
pub(super) mod socks;
pub mod tunnel;

use std::sync::Arc;

use rustls::client::{ResolvesClientCert, Resumption};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme};
use url::Url;

pub use self::proxy::{InvalidProxy, Proxy, ProxyScheme};

pub(crate) use self::faults::unreachable;
pub(super) use self::faults::{misplaced_credentials, not_through_in_time};

/// The TLS of servers as it is spoken with proxies, which speak HTTP/1.1 and have no business with the certificate that is
/// meant for servers. Of a configuration that has no ALPN yet.
pub(crate) fn tls(servers: &ClientConfig) -> Arc<ClientConfig> {
    let mut tls = servers.clone();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    tls.client_auth_cert_resolver = Arc::new(NoCertificate);
    // rustls resumes a session only where the client's certificate is the same.
    tls.resumption = Resumption::default();
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

/// The proxies of a client, and the hosts that need none.
#[derive(Debug, Clone)]
pub struct ProxyRules {
    /// One or two.
    proxies: Vec<Proxy>,
    /// Indices of `proxies`, for each scheme of a URL.
    http: Option<usize>,
    https: Option<usize>,
    direct: Vec<DirectHost>,
}

impl ProxyRules {
    /// Rules for the two schemes of URLs; `no_proxy` is a list as in `NO_PROXY`. `None` if there is no proxy at all.
    pub fn new(http: Option<Proxy>, https: Option<Proxy>, no_proxy: &str) -> Option<Self> {
        let mut proxies = Vec::new();
        let mut place = |proxy: Option<Proxy>| {
            let proxy = proxy?;
            // One proxy for both schemes is one pool.
            Some(proxies.iter().position(|known| *known == proxy).unwrap_or_else(|| {
                proxies.push(proxy);
                proxies.len() - 1
            }))
        };
        let (http, https) = (place(http), place(https));
        if proxies.is_empty() {
            return None;
        }
        let direct = no_proxy
            .split(|c| c == ',' || is_space(c))
            .filter(|entry| !entry.is_empty())
            .map(DirectHost::parse)
            .collect();
        Some(ProxyRules { proxies, http, https, direct })
    }

    pub fn proxies(&self) -> &[Proxy] {
        &self.proxies
    }

    /// Whether one of them is spoken to over TLS.
    pub fn speak_tls(&self) -> bool {
        self.proxies.iter().any(|proxy| proxy.scheme == ProxyScheme::Https)
    }

    /// The proxy for a URL, `None` if it is to be reached directly.
    pub fn proxy_for(&self, url: &Url) -> Option<&Proxy> {
        self.position_for(url).map(|position| &self.proxies[position])
    }

    /// Where [`proxies`](Self::proxies) has the proxy for a URL.
    pub fn position_for(&self, url: &Url) -> Option<usize> {
        let position = match url.scheme() {
            "http" => self.http,
            "https" => self.https,
            _ => None,
        }?;
        (!self.is_direct(url)).then_some(position)
    }

    fn is_direct(&self, url: &Url) -> bool {
        if self.direct.is_empty() {
            return false;
        }
        let host = url.host_str().unwrap_or_default();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        // "example.com." and "example.com" are the same name.
        let host = host.strip_suffix('.').filter(|host| !host.is_empty()).unwrap_or(host);
        // 0 counts as none.
        let port = url.port().filter(|port| *port != 0).or(match url.scheme() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        });
        self.direct.iter().any(|entry| entry.covers(host, port.unwrap_or_default()))
    }
}

/// One entry of `NO_PROXY`: `example.com`, `.example.com`, `*.example.com`, `*`, an address, each perhaps with a port.
#[derive(Debug, Clone, PartialEq, Eq)]
struct DirectHost {
    /// In lower case, without brackets and without what stands before the name and after it. `*`: every host.
    host: String,
    /// `None`: every port.
    port: Option<u64>,
    /// Hosts below the name only, not the name itself.
    below: bool,
}

impl DirectHost {
    fn parse(entry: &str) -> Self {
        let (host, port) = split_port(entry);
        let host = host.strip_prefix("*.").or_else(|| host.strip_prefix('.')).unwrap_or(host);
        let host = host.strip_suffix('.').filter(|host| !host.is_empty()).unwrap_or(host);
        DirectHost { host: host.to_lowercase(), port: port.filter(|port| *port != 0), below: entry.starts_with('*') }
    }

    fn covers(&self, host: &str, port: u16) -> bool {
        if self.port.is_some_and(|own| own != u64::from(port)) {
            return false;
        }
        self.host == "*"
            || (!self.below && host == self.host)
            || host.strip_suffix(&*self.host).is_some_and(|above| above.ends_with('.'))
    }
}

/// An address of IPv6 has colons of its own: it needs brackets when a port follows.
fn split_port(entry: &str) -> (&str, Option<u64>) {
    let bracketed = entry.strip_prefix('[').and_then(|rest| rest.rsplit_once("]:"));
    if let Some((host, port)) = bracketed.filter(|(host, port)| !host.is_empty() && is_number(port)) {
        return (host, Some(number(port)));
    }
    let inner = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|inner| !inner.is_empty());
    let entry = inner.unwrap_or(entry);
    match entry.split_once(':') {
        Some((host, port)) if !host.is_empty() && is_number(port) => (host, Some(number(port))),
        _ => (entry, None),
    }
}

fn is_number(digits: &str) -> bool {
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// One that is too large for a `u64` is no port either.
fn number(digits: &str) -> u64 {
    digits.parse().unwrap_or(u64::MAX)
}

/// As `\s` in a regular expression of JavaScript: not U+0085, but U+FEFF.
fn is_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(url: &str) -> Proxy {
        Proxy::new(url, &[]).unwrap()
    }

    /// Whether a host is reached directly under a `NO_PROXY`.
    fn is_direct(no_proxy: &str, url: &str) -> bool {
        let rules = ProxyRules::new(Some(proxy("http://p.test")), Some(proxy("http://p.test")), no_proxy).unwrap();
        rules.proxy_for(&Url::parse(url).unwrap()).is_none()
    }

    /// The table that undici is held against is in `__test__/unit/proxy-rules.test.js`.
    #[test]
    fn no_proxy_names_hosts_domains_and_ports() {
        for (no_proxy, direct, proxied) in [
            ("", &[][..], &["http://a.test/"][..]),
            ("*", &["http://a.test/", "https://[::1]:8080/"], &[]),
            ("*:80", &["http://a.test/"], &["https://a.test/", "http://a.test:81/"]),
            ("a.test", &["http://a.test/", "https://b.a.test:8080/", "http://A.Test./"], &["http://xa.test/"]),
            (".a.test", &["http://a.test/", "http://b.a.test/"], &["http://xa.test/"]),
            ("*.a.test", &["http://b.a.test/", "http://c.b.a.test/"], &["http://a.test/", "http://xa.test/"]),
            ("A.TEST.", &["http://a.test/"], &["http://b.test/"]),
            ("a.test:443", &["https://a.test/", "http://a.test:443/"], &["http://a.test/"]),
            ("a.test:0", &["https://a.test/"], &[]),
            ("a.test:99999999999999999999", &[], &["https://a.test/", "http://a.test/"]),
            (" b.test\t, a.test,, ", &["http://a.test/", "http://b.test/"], &["http://c.test/"]),
            ("::1", &["http://[::1]/", "http://[::1]:99/"], &["http://[::2]/"]),
            ("[::1]", &["http://[::1]/"], &[]),
            ("[::1]:80", &["http://[::1]/"], &["https://[::1]/"]),
            ("10.0.0.1", &["http://10.0.0.1/"], &["http://10.0.0.2/"]),
            ("10.0.0.0/8", &[], &["http://10.0.0.1/"]),
            (".,[],[]:1,*.,:80", &[], &["http://a.test/"]),
        ] {
            for url in direct {
                assert!(is_direct(no_proxy, url), "{no_proxy:?} {url}");
            }
            for url in proxied {
                assert!(!is_direct(no_proxy, url), "{no_proxy:?} {url}");
            }
        }
    }

    #[test]
    fn each_scheme_goes_its_own_way() {
        let [http, https] = ["http://a.test:1", "https://b.test"].map(proxy);
        let to = |rules: &ProxyRules, url| rules.proxy_for(&Url::parse(url).unwrap()).map(Proxy::origin);
        let rules = ProxyRules::new(Some(http.clone()), Some(https), "").unwrap();
        assert_eq!(to(&rules, "http://x.test/").as_deref(), Some("http://a.test:1"));
        assert_eq!(to(&rules, "https://x.test/").as_deref(), Some("https://b.test:443"));
        let rules = ProxyRules::new(Some(http), None, "").unwrap();
        assert_eq!(to(&rules, "https://x.test/"), None);
        assert!(ProxyRules::new(None, None, "a.test").is_none());
    }

    #[test]
    fn one_proxy_for_both_schemes_is_one() {
        let rules = ProxyRules::new(Some(proxy("http://a.test")), Some(proxy("http://a.test:80/")), "").unwrap();
        assert_eq!(rules.proxies().len(), 1);
    }
}
