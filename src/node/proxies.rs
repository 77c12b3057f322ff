//! The proxies of a client, as the JavaScript half sends them: checked there, in JSON.

use napi_derive::napi;
use serde::Deserialize;
use url::Url;

use crate::http::transport::proxies::{InvalidProxy, Proxy, ProxyRules};

/// `{ "http": { "url": ..., "headers": [[name, value], ...], "credentials": [user, password] }, "https": {...},
/// "noProxy": "..." }`, by the scheme of a URL.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WireProxies {
    http: Option<WireProxy>,
    https: Option<WireProxy>,
    no_proxy: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireProxy {
    url: String,
    headers: Vec<(String, String)>,
    /// Those of SOCKS; those of HTTP are a header.
    credentials: Option<(String, String)>,
}

impl WireProxy {
    fn proxy(&self) -> Result<Proxy, InvalidProxy> {
        let proxy = Proxy::new(&self.url, &self.headers)?;
        match &self.credentials {
            Some((user, password)) => proxy.with_credentials(user, password),
            None => Ok(proxy),
        }
    }
}

impl WireProxies {
    pub fn rules(self) -> Result<Option<ProxyRules>, String> {
        let read =
            |wire: Option<WireProxy>| wire.map(|wire| wire.proxy()).transpose().map_err(|error| error.to_string());
        Ok(ProxyRules::new(read(self.http)?, read(self.https)?, &self.no_proxy))
    }
}

/// The origin of the proxy for a URL; for tests that hold the rule against another implementation.
#[napi]
pub fn proxy_for(proxies: String, url: String) -> napi::Result<Option<String>> {
    let wire: WireProxies =
        serde_json::from_str(&proxies).map_err(|error| napi::Error::from_reason(error.to_string()))?;
    let rules = wire.rules().map_err(napi::Error::from_reason)?;
    let url = Url::parse(&url).map_err(|error| napi::Error::from_reason(error.to_string()))?;
    Ok(rules.and_then(|rules| rules.proxy_for(&url).map(Proxy::origin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(json: &str) -> Result<Option<ProxyRules>, String> {
        serde_json::from_str::<WireProxies>(json).map_err(|error| error.to_string())?.rules()
    }

    #[test]
    fn each_scheme_has_its_proxy() {
        let proxy = r#"{"url":"http://proxy.test:3128","headers":[["proxy-authorization","Basic c2VjcmV0"]]}"#;
        let read = rules(&format!(r#"{{"https":{proxy},"noProxy":"a.test"}}"#)).unwrap().unwrap();
        assert_eq!(read.proxies().len(), 1);
        assert_eq!(read.proxies()[0].headers()["proxy-authorization"], "Basic c2VjcmV0");
        assert!(read.proxy_for(&Url::parse("https://b.test/").unwrap()).is_some());
        assert!(read.proxy_for(&Url::parse("https://a.test/").unwrap()).is_none());
        assert!(read.proxy_for(&Url::parse("http://b.test/").unwrap()).is_none());
        assert!(rules(r#"{"noProxy":""}"#).unwrap().is_none());
    }

    #[test]
    fn what_is_wrong_is_said_without_what_was_given() {
        let url = r#"{"http":{"url":"ftp://u:secret@proxy.test","headers":[]},"noProxy":""}"#;
        let header = r#"{"http":{"url":"http://p.test","headers":[["a","secret\n"]]},"noProxy":""}"#;
        let long = "secret".repeat(99);
        let socks = r#"{"http":{"url":"socks5://p.test","headers":[],"credentials":["u",""#.to_owned() + &long;
        let socks = socks + r#""]},"noProxy":""}"#;
        for (json, named) in [(url, "scheme"), (header, "value of a header"), (&*socks, "credentials")] {
            let error = rules(json).unwrap_err();
            assert!(error.contains(named) && !error.contains("secret"), "{error}");
        }
    }
}
