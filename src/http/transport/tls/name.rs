//! Whether a certificate is for the host that was asked for, by the rules of Node's `tls.checkServerIdentity`.
//!
//! They differ from webpki's: the common name counts where no alternative name is of type DNS, `www*.example.org` is a
//! pattern, and a name may have labels that no host name has.

use std::borrow::Cow;
use std::net::IpAddr;

use rustls::pki_types::ServerName;

use super::certificate::Certificate;

pub fn is_for(certificate: &Certificate<'_>, name: &ServerName<'_>) -> bool {
    match name {
        ServerName::IpAddress(address) => match IpAddr::from(*address) {
            // Never the common name.
            IpAddr::V4(address) => certificate.addresses().any(|own| own == address.octets()),
            IpAddr::V6(address) => certificate.addresses().any(|own| own == address.octets()),
        },
        ServerName::DnsName(host) => {
            let host = host.as_ref().as_bytes();
            let mut names = certificate.dns_names().peekable();
            match names.peek() {
                Some(_) => names.any(|pattern| matches(host, pattern)),
                None => certificate.common_names().any(|pattern| matches(host, pattern)),
            }
        }
        _ => false,
    }
}

/// What it is for, to be shown to whoever asked for something else.
pub fn shown(certificate: &Certificate<'_>) -> String {
    let lossy = |name| String::from_utf8_lossy(name);
    let mut names: Vec<Cow<'_, str>> = certificate.dns_names().map(lossy).collect();
    names.extend(certificate.addresses().map(|octets| {
        let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
        v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).map_or("?".into(), |ip| ip.to_string().into())
    }));
    if names.is_empty() {
        names.extend(certificate.common_names().map(lossy));
    }
    // A certificate can have thousands, and this is for people.
    const SHOWN: usize = 10;
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    match (names.is_empty(), more) {
        (true, _) => "nobody".to_owned(),
        (false, 0) => names.join(", "),
        (false, _) => format!("{} and {more} more", names.join(", ")),
    }
}

fn matches(host: &[u8], pattern: &[u8]) -> bool {
    let (host, pattern) = (without_root(host), without_root(pattern));
    let mut host_labels = host.split(|byte| *byte == b'.');
    let mut pattern_labels = pattern.split(|byte| *byte == b'.');
    let count = pattern_labels.clone().count();
    let sound =
        pattern.iter().all(|byte| (0x21..=0x7f).contains(byte)) && pattern_labels.clone().all(|it| !it.is_empty());
    // `split` has at least one item.
    let (Some(host_first), Some(pattern_first)) = (host_labels.next(), pattern_labels.next()) else {
        return false;
    };
    sound
        && host_labels.clone().count() + 1 == count
        && host_labels.zip(pattern_labels).all(|(host, pattern)| host.eq_ignore_ascii_case(pattern))
        && first_matches(host_first, pattern_first, count)
}

/// The leftmost label, in which one `*` may stand for any characters, but not right below a top-level domain, and not in
/// an internationalised label, whose letters are not those that are seen.
fn first_matches(host: &[u8], pattern: &[u8], labels: usize) -> bool {
    let mut around = pattern.split(|byte| *byte == b'*');
    let international = pattern.to_ascii_lowercase().windows(4).any(|window| window == b"xn--");
    match (around.next(), around.next(), around.next()) {
        (Some(before), Some(after), None) if !international => {
            labels > 2
                && before.len() + after.len() <= host.len()
                && host[..before.len()].eq_ignore_ascii_case(before)
                && host[host.len() - after.len()..].eq_ignore_ascii_case(after)
        }
        (_, Some(_), Some(_)) if !international => false,
        _ => host.eq_ignore_ascii_case(pattern),
    }
}

/// `host.` is `host`.
fn without_root(name: &[u8]) -> &[u8] {
    name.strip_suffix(b".").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    fn is_for(alternative: &[&str], common: &[&str], host: &str) -> bool {
        let mut params = CertificateParams::default();
        params.subject_alt_names = alternative
            .iter()
            .map(|name| match name.parse() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName((*name).try_into().unwrap()),
            })
            .collect();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for name in common {
            params.distinguished_name.push(DnType::CommonName, *name);
        }
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let read = Certificate::read(certificate.der()).unwrap();
        super::is_for(&read, &ServerName::try_from(host).unwrap())
    }

    #[test]
    fn the_common_name_counts_without_a_name_of_type_dns() {
        assert!(is_for(&[], &["a.test"], "a.test"));
        assert!(is_for(&["10.0.0.1"], &["a.test"], "A.test"));
        assert!(!is_for(&["b.test"], &["a.test"], "a.test"));
        assert!(!is_for(&[], &["10.0.0.1"], "10.0.0.1"), "an address is never looked for there");
        assert!(!is_for(&[], &[], "a.test"));
    }

    #[test]
    fn addresses_are_compared_as_such() {
        assert!(is_for(&["10.0.0.1"], &[], "10.0.0.1"));
        assert!(is_for(&["::1"], &[], "0:0:0:0:0:0:0:1"));
        assert!(!is_for(&["10.0.0.1"], &[], "10.0.0.2"));
        assert!(!is_for(&["a.test"], &[], "10.0.0.1"));
    }

    #[test]
    fn patterns_are_those_of_node() {
        for (pattern, host, expected) in [
            ("a.example.test", "a.example.test", true),
            ("A.Example.test", "a.example.TEST", true),
            ("a.example.test.", "a.example.test", true),
            ("a.example.test", "b.example.test", false),
            ("*.example.test", "a.example.test", true),
            ("*.example.test", "example.test", false),
            ("*.example.test", "a.b.example.test", false),
            ("*.test", "a.test", false),
            ("w*.example.test", "www.example.test", true),
            ("*w.example.test", "www.example.test", true),
            ("w*w.example.test", "w.example.test", false),
            ("*a*.example.test", "xax.example.test", false),
            ("a.*.test", "a.b.test", false),
            ("xn--*.example.test", "xn--a.example.test", false),
            ("a..test", "a.test", false),
            ("*", "localhost", false),
            ("localhost", "localhost", true),
        ] {
            assert_eq!(matches(host.as_bytes(), pattern.as_bytes()), expected, "{pattern} for {host}");
        }
        assert!(!matches(b"a b.test", b"a b.test"), "a space is in no name");
        assert!(!matches(b"a.test", b"a.test\0.evil.test"));
    }

    #[test]
    fn what_it_is_for_is_told_in_a_line() {
        let mut params =
            CertificateParams::new((0..12).map(|host| format!("h{host}.test")).collect::<Vec<_>>()).unwrap();
        params.subject_alt_names.push(SanType::IpAddress([10, 0, 0, 1].into()));
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let line = shown(&Certificate::read(certificate.der()).unwrap());
        assert!(line.starts_with("h0.test, h1.test, ") && line.ends_with("h9.test and 3 more"), "{line}");
    }
}
