//! What is asked for: the URL, the subprotocols and the headers of an upgrade.

use std::net::IpAddr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use rustls::pki_types::ServerName;
use url::{Host, Url};

use crate::fault::{Delivery, Fault, Kind, Phase};
use crate::tcp::options::Target;

/// Those of the handshake itself, which are not the caller's to set.
const OWN: [&str; 6] = [
    "connection",
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
    "sec-websocket-protocol",
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `http` or `https`; a user's name and password are among the headers.
    pub url: Url,
    /// Best first.
    pub protocols: Vec<String>,
    pub headers: HeaderMap,
}

impl Request {
    /// `url`: of one of the schemes ws, wss, http and https.
    ///
    /// # Errors
    /// The fault of an address or a header that none can be made of. It is the caller's, and not transient.
    pub fn new(url: &str, protocols: Vec<String>, headers: &[(String, String)]) -> Result<Self, Box<Fault>> {
        let mut url = at_http(Url::parse(url).map_err(|error| invalid("ERR_INVALID_URL", error))?)?;
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::try_from(name).map_err(|error| invalid("ERR_INVALID_HTTP_TOKEN", error))?;
            // JavaScript's strings hold bytes as characters.
            let bytes: Option<Vec<u8>> = value.chars().map(|character| u8::try_from(character).ok()).collect();
            let value = bytes.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok());
            let value = value.ok_or_else(|| invalid("ERR_INVALID_CHAR", format!("the value of {name}")))?;
            if !OWN.contains(&name.as_str()) {
                map.append(name, value);
            }
        }
        if let (Some(credentials), false) = (credentials(&url), map.contains_key(AUTHORIZATION)) {
            map.insert(AUTHORIZATION, credentials);
        }
        // They are in the header now, or were overruled; a cannot-be-a-base URL does not get here.
        let _ = url.set_username("").and_then(|()| url.set_password(None));
        url.set_fragment(None);
        Ok(Request { url, protocols, headers: map })
    }

    /// With the scheme of a WebSocket.
    pub fn ws_url(&self) -> String {
        // `http` and `https` begin alike.
        format!("ws{}", &self.url.as_str()["http".len()..])
    }

    pub fn is_secure(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Where it is to be reached.
    pub fn target(&self) -> Target {
        let host = match self.url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => String::new(),
        };
        Target::Tcp { host, port: self.port() }
    }

    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(80)
    }

    /// `host:port`, as a proxy is asked for it.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.url.host_str().unwrap_or_default(), self.port())
    }

    /// What is learnt about large messages is learnt of this.
    pub fn endpoint(&self) -> String {
        format!("{}{}", self.authority(), self.url.path())
    }

    /// Whom a certificate must be for.
    pub fn server_name(&self) -> Result<ServerName<'static>, Box<Fault>> {
        let unnamed = || invalid("ERR_INVALID_URL", "a host that TLS knows no name for");
        match self.url.host() {
            Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).map_err(|_| unnamed()),
            Some(Host::Ipv4(address)) => Ok(ServerName::from(IpAddr::from(address))),
            Some(Host::Ipv6(address)) => Ok(ServerName::from(IpAddr::from(address))),
            None => Err(unnamed()),
        }
    }

    /// As it leaves. `key`: see [`super::handshake`]; `offer`: of extensions.
    pub fn http(&self, key: &str, offer: Option<&str>) -> Result<http::Request<String>, Box<Fault>> {
        let path = &self.url[url::Position::BeforePath..url::Position::AfterQuery];
        let mut request = http::Request::new(String::new());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = path.parse::<Uri>().map_err(|error| invalid("ERR_INVALID_URL", error))?;
        let headers = request.headers_mut();
        let mut set = |name: &'static str, value: &str| {
            let value = HeaderValue::try_from(value).map_err(|error| invalid("ERR_INVALID_CHAR", error))?;
            headers.insert(name, value);
            Ok::<_, Box<Fault>>(())
        };
        if !self.headers.contains_key(HOST) {
            set("host", &self.url[url::Position::BeforeHost..url::Position::AfterPort])?;
        }
        set("connection", "Upgrade")?;
        set("upgrade", "websocket")?;
        set("sec-websocket-version", "13")?;
        set("sec-websocket-key", key)?;
        if let Some(offer) = offer {
            set("sec-websocket-extensions", offer)?;
        }
        if !self.protocols.is_empty() {
            set("sec-websocket-protocol", &self.protocols.join(","))?;
        }
        headers.extend(self.headers.clone());
        Ok(request)
    }

    /// The same, elsewhere. What is meant for this server alone stays behind when it is another one's turn.
    ///
    /// # Errors
    /// It leads nowhere.
    pub fn redirected(&self, location: &str) -> Result<Self, Box<Fault>> {
        let url = self.url.join(location).map_err(|error| invalid("ERR_INVALID_REDIRECT", error)).and_then(at_http)?;
        if self.is_secure() && url.scheme() != "https" {
            return Err(invalid("ERR_INVALID_REDIRECT", "a redirect from wss: to ws:"));
        }
        let mut request = Request { url, ..self.clone() };
        if request.authority() != self.authority() || request.is_secure() != self.is_secure() {
            for name in ["authorization", "cookie", "host", "proxy-authorization"] {
                request.headers.remove(name);
            }
        }
        Ok(request)
    }
}

/// With the scheme of the request that opens it.
fn at_http(mut url: Url) -> Result<Url, Box<Fault>> {
    let scheme = match url.scheme() {
        "ws" | "http" => "http",
        "wss" | "https" => "https",
        other => return Err(invalid("ERR_INVALID_URL", format!("the scheme {other}:"))),
    };
    if url.host_str().is_none_or(str::is_empty) {
        return Err(invalid("ERR_INVALID_URL", "no host"));
    }
    // Among these four it is always possible.
    let _ = url.set_scheme(scheme);
    Ok(url)
}

fn credentials(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decoded = |part: &str| percent_decoded(part);
    let mut pair = decoded(url.username());
    pair.push(b':');
    pair.extend(decoded(url.password().unwrap_or_default()));
    HeaderValue::try_from(format!("Basic {}", BASE64_STANDARD.encode(pair))).ok()
}

fn percent_decoded(part: &str) -> Vec<u8> {
    let bytes = part.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let code = part.get(at + 1..at + 3).filter(|_| byte == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(code.unwrap_or(byte));
        at += if code.is_some() { 3 } else { 1 };
    }
    decoded
}

fn invalid(code: &'static str, detail: impl ToString) -> Box<Fault> {
    let mut fault = Fault::new(code, Phase::Connect, Delivery::NotSent).with_detail(detail.to_string());
    (fault.kind, fault.transient) = (Kind::Client, false);
    Box::new(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str, headers: &[(&str, &str)]) -> Request {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Request::new(url, vec!["a".into(), "b".into()], &headers).unwrap()
    }

    #[test]
    fn the_request_is_an_upgrade_with_what_the_caller_adds() {
        let given = [("X-Token", "t\u{e9}"), ("Connection", "close"), ("origin", "https://o.test")];
        let made = request("wss://me:p%40ss@h.test/path?q=1#f", &given).http("key", Some("offer")).unwrap();
        assert_eq!(made.uri(), "/path?q=1");
        let header = |name: &str| made.headers()[name].as_bytes();
        assert_eq!(header("host"), b"h.test");
        assert_eq!(header("x-token"), b"t\xe9");
        assert_eq!(header("connection"), b"Upgrade");
        assert_eq!(header("sec-websocket-protocol"), b"a,b");
        assert_eq!(header("sec-websocket-extensions"), b"offer");
        assert_eq!(header("authorization"), b"Basic bWU6cEBzcw==");
        assert_eq!(made.headers().get_all("connection").iter().count(), 1);
    }

    #[test]
    fn where_it_goes() {
        let plain = request("ws://[::1]:81", &[]);
        assert_eq!(plain.target(), Target::Tcp { host: "::1".into(), port: 81 });
        assert_eq!((plain.authority().as_str(), plain.is_secure()), ("[::1]:81", false));
        assert_eq!(plain.http("k", None).unwrap().headers()["host"], "[::1]:81");
        let secure = request("https://h.test/p?q", &[]);
        assert_eq!((secure.endpoint().as_str(), secure.ws_url().as_str()), ("h.test:443/p", "wss://h.test/p?q"));
        assert!(request("wss://h.test", &[]).is_secure());
        assert!(Request::new("ftp://h.test", Vec::new(), &[]).is_err());
        assert!(Request::new("nowhere", Vec::new(), &[]).is_err());
    }

    #[test]
    fn secrets_do_not_follow_to_another_server() {
        let secret = request("ws://a.test/1", &[("Cookie", "c"), ("Authorization", "a"), ("X", "y")]);
        let there = secret.redirected("ws://b.test/2").unwrap();
        assert!(there.headers.get("cookie").is_none() && there.headers.get("authorization").is_none());
        assert_eq!(there.headers["x"], "y");
        assert_eq!(secret.redirected("/2").unwrap().headers["cookie"], "c");
        assert_eq!(secret.redirected("https://a.test/").unwrap().headers.get("cookie"), None);
        assert!(request("wss://a.test", &[]).redirected("ws://a.test").is_err(), "never without TLS after TLS");
    }

    #[test]
    fn what_is_no_header_is_said_so() {
        let header = |name: &str, value: &str| Request::new("ws://a.test", Vec::new(), &[(name.into(), value.into())]);
        assert_eq!(header("a b", "c").unwrap_err().code, "ERR_INVALID_HTTP_TOKEN");
        assert_eq!(header("a", "b\n").unwrap_err().code, "ERR_INVALID_CHAR");
        assert_eq!(header("a", "\u{263a}").unwrap_err().code, "ERR_INVALID_CHAR");
    }
}
