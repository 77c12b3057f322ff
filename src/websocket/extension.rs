//! permessage-deflate: what is offered, and whether the answer can be lived with (RFC 7692, section 7.1).

use std::fmt;

const NAME: &str = "permessage-deflate";
/// zlib, and what is compatible with it, cannot deflate with the smallest window that the extension knows, 8.
const LEAST_WINDOW: u8 = 9;
const GREATEST_WINDOW: u8 = 15;

/// What the caller wants of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deflate {
    /// Messages that are shorter, in bytes, and leave in one frame, are not compressed.
    pub threshold: usize,
    /// 1 to 9.
    pub level: u32,
    pub server_no_context_takeover: bool,
    pub client_no_context_takeover: bool,
    pub server_max_window_bits: Option<u8>,
    pub client_max_window_bits: Option<u8>,
}

impl Default for Deflate {
    fn default() -> Self {
        Deflate {
            threshold: 1024,
            level: 6,
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: None,
            client_max_window_bits: None,
        }
    }
}

/// What both sides do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    pub threshold: usize,
    pub level: u32,
    parameters: Parameters,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Parameters {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: Option<u8>,
}

impl Deflate {
    /// The value of `Sec-WebSocket-Extensions`.
    pub fn offer(&self) -> String {
        let offered = Parameters {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: self.server_max_window_bits,
            // Always: without it no server may ask for a smaller window, and some then refuse to deflate at all.
            client_max_window_bits: Some(self.offered_window()),
        };
        offered.to_string()
    }

    fn offered_window(&self) -> u8 {
        self.client_max_window_bits.unwrap_or(GREATEST_WINDOW).max(LEAST_WINDOW)
    }

    /// What the server has made of the offer: the values of its `Sec-WebSocket-Extensions`, joined by commas.
    ///
    /// # Errors
    /// It holds something that was not offered, or that cannot be done.
    pub fn accept(&self, answer: &str) -> Result<Agreed, String> {
        let mut extensions = answer.split(',');
        let extension = extensions.next().unwrap_or_default();
        if extensions.next().is_some() {
            return Err("the server chose more than one extension".to_owned());
        }
        let mut words = extension.split(';').map(str::trim);
        if !words.next().is_some_and(|name| name.eq_ignore_ascii_case(NAME)) {
            return Err("the server chose an extension that was not offered".to_owned());
        }
        let mut parameters = Parameters::default();
        for word in words {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
                None => (word, None),
            };
            let known = parameters.take(&name.to_ascii_lowercase(), value);
            known.ok_or_else(|| format!("the server's answer about {NAME} makes no sense: {word}"))?;
        }
        if parameters.client_max_window_bits.is_some_and(|bits| bits < LEAST_WINDOW || bits > self.offered_window()) {
            return Err("the server asks for a window that was not offered".to_owned());
        }
        if let (Some(answered), Some(offered)) = (parameters.server_max_window_bits, self.server_max_window_bits)
            && answered > offered
        {
            return Err("the server would use a larger window than it was allowed".to_owned());
        }
        // Nobody may forbid us to forget.
        parameters.client_no_context_takeover |= self.client_no_context_takeover;
        Ok(Agreed { threshold: self.threshold, level: self.level, parameters })
    }
}

impl Parameters {
    /// `None`: it is unknown, has been said before, or has a value that it cannot have.
    fn take(&mut self, name: &str, value: Option<&str>) -> Option<()> {
        let bits = || value?.parse().ok().filter(|bits| (8..=GREATEST_WINDOW).contains(bits));
        let flag = |known: &mut bool| (value.is_none() && !std::mem::replace(known, true)).then_some(());
        let window = |known: &mut Option<u8>| known.replace(bits()?).is_none().then_some(());
        match name {
            "server_no_context_takeover" => flag(&mut self.server_no_context_takeover),
            "client_no_context_takeover" => flag(&mut self.client_no_context_takeover),
            "server_max_window_bits" => window(&mut self.server_max_window_bits),
            "client_max_window_bits" => window(&mut self.client_max_window_bits),
            _ => None,
        }
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        if self.server_no_context_takeover {
            f.write_str("; server_no_context_takeover")?;
        }
        if self.client_no_context_takeover {
            f.write_str("; client_no_context_takeover")?;
        }
        if let Some(bits) = self.server_max_window_bits {
            write!(f, "; server_max_window_bits={bits}")?;
        }
        if let Some(bits) = self.client_max_window_bits {
            write!(f, "; client_max_window_bits={bits}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Agreed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parameters.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(answer: &str) -> Result<String, String> {
        Deflate::default().accept(answer).map(|agreed| agreed.to_string())
    }

    #[test]
    fn the_offer_says_what_is_wanted() {
        assert_eq!(Deflate::default().offer(), "permessage-deflate; client_max_window_bits=15");
        let deflate = Deflate {
            server_no_context_takeover: true,
            client_no_context_takeover: true,
            server_max_window_bits: Some(10),
            client_max_window_bits: Some(8),
            ..Deflate::default()
        };
        let offer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
                     server_max_window_bits=10; client_max_window_bits=9";
        assert_eq!(deflate.offer(), offer);
    }

    #[test]
    fn answers_are_read_as_they_are_written() {
        assert_eq!(accept("permessage-deflate").unwrap(), "permessage-deflate");
        let answer = "Permessage-Deflate ;client_max_window_bits = \"12\"; SERVER_no_context_takeover";
        assert_eq!(
            accept(answer).unwrap(),
            "permessage-deflate; server_no_context_takeover; client_max_window_bits=12"
        );
        let bits = "permessage-deflate; server_max_window_bits=8";
        assert_eq!(accept(bits).unwrap(), bits);
    }

    #[test]
    fn what_was_not_offered_is_refused() {
        for answer in [
            "",
            "permessage-bzip2",
            "permessage-deflate, permessage-deflate",
            "permessage-deflate; made_up",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; client_max_window_bits=8",
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=ten",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
        ] {
            assert!(accept(answer).is_err(), "{answer}");
        }
        let narrow =
            Deflate { server_max_window_bits: Some(10), client_max_window_bits: Some(11), ..Deflate::default() };
        assert!(narrow.accept("permessage-deflate; server_max_window_bits=11").is_err());
        assert!(narrow.accept("permessage-deflate; client_max_window_bits=12").is_err());
        assert!(narrow.accept("permessage-deflate; server_max_window_bits=10; client_max_window_bits=11").is_ok());
    }

    #[test]
    fn who_wants_no_context_has_none_whatever_the_server_says() {
        let deflate = Deflate { client_no_context_takeover: true, ..Deflate::default() };
        let agreed = deflate.accept("permessage-deflate").unwrap();
        assert_eq!(agreed.to_string(), "permessage-deflate; client_no_context_takeover");
    }
}
