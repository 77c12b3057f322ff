//! The closed word lists of a fault. The words are the same in Rust, in JavaScript, in the docs and in metrics.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares an enum together with its words, so that the spelling exists once.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:tt,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that JavaScript, the docs and metrics use.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The value that this word names.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// The family a fault belongs to.
    Kind {
        /// The peer ended the connection while a call was outstanding: RST, or FIN before or inside an answer.
        Reset = "reset",
        /// Nothing listens there, or a circuit breaker let nothing through.
        Refused = "refused",
        /// A limit on time was reached; the phase says which part took too long.
        Timeout = "timeout",
        /// The name could not be resolved.
        Dns = "dns",
        /// No route to the host or network.
        Unreachable = "unreachable",
        /// The TLS handshake or the certificate was rejected.
        Tls = "tls",
        /// What the peer sent is not the protocol it should speak.
        Protocol = "protocol",
        /// The server asks for fewer calls (429, 503 with Retry-After).
        Throttled = "throttled",
        /// The server answered that it failed.
        Server = "server",
        /// A message or body exceeds a limit.
        TooLarge = "too-large",
        /// An orderly end of a connection with no call outstanding.
        Closed = "closed",
        /// The caller ended the call.
        Aborted = "aborted",
        /// Something on the caller's own side: a bad URL, a bad request, a 4xx status, no file handle left.
        Client = "client",
        /// Not recognised. Never retried unless it is known that nothing was sent.
        Unknown = "unknown",
    }
}

words! {
    /// Where in the life of a call the fault struck.
    Phase {
        Resolve = "resolve",
        Connect = "connect",
        /// TLS, a proxy's tunnel, or the upgrade of a WebSocket.
        Handshake = "handshake",
        Send = "send",
        /// Everything is sent, no answer yet.
        Wait = "wait",
        Receive = "receive",
        /// Between calls.
        Idle = "idle",
    }
}

words! {
    /// What the peer can have seen of the request. Never guessed upward: when in doubt it is `Unknown`.
    Delivery {
        /// Not one byte left: any call may be repeated.
        NotSent = "not-sent",
        /// Bytes left and no answer came: the call may have had its effect.
        Unknown = "unknown",
        /// A response began.
        Answered = "answered",
    }
}

words! {
    /// How the peer ended the connection, where that is known.
    Ending {
        Fin = "fin",
        Rst = "rst",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_parses_to_its_own_value() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(*kind));
        }
        for phase in Phase::ALL {
            assert_eq!(Phase::parse(phase.as_str()), Some(*phase));
        }
        for delivery in Delivery::ALL {
            assert_eq!(Delivery::parse(delivery.as_str()), Some(*delivery));
        }
        for ending in Ending::ALL {
            assert_eq!(Ending::parse(ending.as_str()), Some(*ending));
        }
        assert_eq!(Kind::parse("Reset"), None);
    }

    #[test]
    fn serde_uses_the_same_words() {
        assert_eq!(serde_json::to_value(Kind::TooLarge).unwrap(), "too-large");
        assert_eq!(serde_json::from_str::<Delivery>("\"not-sent\"").unwrap(), Delivery::NotSent);
    }
}
