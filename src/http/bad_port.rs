//! Ports that a fetch must not reach (Fetch standard, section 2.9, "bad port").
//!
//! Other protocols live there: a request that somebody else chose the URL of could be made to speak to a mail server or
//! a database in its own language.

use url::Url;

pub(super) const CODE: &str = "ERR_BAD_PORT";

/// In order, for the search.
const BAD_PORTS: [u16; 82] = [
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
    111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
    540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
    6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

/// Whether the URL names a blocked port. The usual port of its scheme is none, and is not looked up.
pub(super) fn blocks(url: &Url) -> bool {
    url.port().is_some_and(|port| BAD_PORTS.binary_search(&port).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_the_order_that_the_search_needs() {
        assert!(BAD_PORTS.is_sorted());
    }

    #[test]
    fn only_ports_of_other_protocols_are_blocked() {
        let blocked = |url| blocks(&Url::parse(url).unwrap());
        assert!(blocked("http://a.test:25/") && blocked("https://a.test:1/") && blocked("http://a.test:10080/"));
        for url in
            ["http://a.test/", "https://a.test/", "http://a.test:80/", "http://a.test:443/", "http://a.test:8080/"]
        {
            assert!(!blocked(url), "{url}");
        }
    }
}
