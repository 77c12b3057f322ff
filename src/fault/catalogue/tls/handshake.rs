//! Handshakes that failed for another reason than the server's certificate.

use crate::fault::catalogue::{Entry, Family};
use crate::fault::{Delivery, Kind, Phase};

pub(in crate::fault::catalogue) const FAMILY: Family = Family {
    title: "TLS handshakes",
    introduction: "The two sides could not agree on a secure connection. OpenSSL has several hundred codes of the form \
                   `ERR_SSL_...`; those that are met in practice are listed. Those that can \
                   also strike after the handshake leave `delivery` unknown: in TLS 1.3 the server judges the client's \
                   certificate after the request may have left.",
    entries: ENTRIES,
};

const FAILED: Entry = Entry::of(Kind::Tls, Phase::Handshake, Delivery::NotSent).reconnect();
/// May also strike when the request is on its way: see the introduction.
const LATE: Entry = Entry::of(Kind::Tls, Phase::Handshake, Delivery::Unknown).reconnect();
const NOT_TLS: &str = "Use the right port, or http: instead of https:.";
const VERSIONS: &str = "Raise the server's TLS version, or set `minVersion` on purpose.";
const CLIENT_CERT: &str = "Send the client certificate that the server asks for (`cert`, `key` or `pfx`).";

const ENTRIES: &[Entry] = &[
    LATE.code("ERR_SSL_WRONG_VERSION_NUMBER", "What the server sent is not TLS.")
        .causes(&[
            "The port speaks plain HTTP",
            "A proxy answered in plain text",
            "STARTTLS is needed first (mail, databases)",
        ])
        .action(NOT_TLS),
    LATE.code("ERR_SSL_PACKET_LENGTH_TOO_LONG", "What the server sent is not TLS.")
        .causes(&["The port speaks plain HTTP"])
        .action(NOT_TLS),
    LATE.code("ERR_SSL_DATA_LENGTH_TOO_LONG", "A TLS record is larger than the protocol allows.")
        .causes(&["The port does not speak TLS", "A middlebox changed the data", "A broken server"])
        .action("Check that the port speaks TLS; if it does, look at the network path."),
    FAILED
        .code("ERR_SSL_HTTP_REQUEST", "A plain HTTP request reached a TLS port.")
        .causes(&["http: was used for an https: port"])
        .action("Use https:."),
    LATE.code("EPROTO", "The TLS handshake failed on a protocol error.")
        .causes(&["The port does not speak TLS", "The two sides share no TLS version or cipher"])
        .action(NOT_TLS),
    FAILED
        .code("ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "The server does not accept this TLS version.")
        .causes(&["The server knows older TLS versions only, or newer ones only"])
        .action(VERSIONS),
    FAILED
        .code("ERR_SSL_UNSUPPORTED_PROTOCOL", "The server offers a TLS version that is not accepted here.")
        .causes(&["The server knows TLS 1.0 or 1.1 only"])
        .action(VERSIONS),
    FAILED
        .code("ERR_SSL_NO_PROTOCOLS_AVAILABLE", "No TLS version is left after the options were applied.")
        .causes(&["`minVersion` is above `maxVersion`"])
        .action("Correct `minVersion` and `maxVersion`."),
    LATE.code("ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "The server refused the handshake.")
        .causes(&[
            "No cipher in common",
            "The server expects another host name (SNI)",
            "The server wants a client certificate",
        ])
        .action("Check the server name, the ciphers and whether a client certificate is needed."),
    LATE.code("ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY", "The server asks for stronger ciphers than were offered.")
        .causes(&["The server allows only ciphers that this client does not have"])
        .action("Check the ciphers of both sides."),
    FAILED
        .code("ERR_SSL_NO_CIPHER_MATCH", "None of the configured ciphers is known.")
        .causes(&["A typing error in `ciphers`"])
        .action("Correct `ciphers`."),
    FAILED
        .code("ERR_SSL_TLSV1_UNRECOGNIZED_NAME", "The server does not know the host name it was asked for.")
        .causes(&["The name is not configured on this server", "A wrong `servername`"])
        .action("Check the host name and `servername`."),
    FAILED
        .code("ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL", "Client and server share no application protocol (ALPN).")
        .causes(&["HTTP/2 only on one side and HTTP/1.1 only on the other"])
        .action("Offer both protocols."),
    FAILED
        .code("ERR_SSL_DH_KEY_TOO_SMALL", "The server's Diffie-Hellman key is too small to be safe.")
        .causes(&["An old server"])
        .action("Update the server."),
    FAILED
        .code("ERR_SSL_EE_KEY_TOO_SMALL", "The key of the certificate is too small to be safe.")
        .causes(&["An old certificate"])
        .action("Have the certificate issued again with a larger key."),
    FAILED
        .code("ERR_SSL_UNSAFE_LEGACY_RENEGOTIATION_DISABLED", "The server needs an unsafe kind of renegotiation.")
        .causes(&["An old server or proxy"])
        .action("Update the server."),
    FAILED
        .code("ERR_SSL_UNEXPECTED_EOF_WHILE_READING", "The peer ended the TLS connection without saying so.")
        .becomes("ECONNRESET")
        .kind(Kind::Reset)
        .at(Phase::Wait, Delivery::Unknown)
        .transient()
        .causes(&["The server or a proxy closed the connection in the middle"])
        .action("As ECONNRESET."),
    LATE.code("ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "The server wants a client certificate and got none.")
        .causes(&["No `cert` and `key` were given"])
        .action(CLIENT_CERT),
    LATE.code("ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "The server did not accept the client's certificate.")
        .causes(&["The certificate is not from an authority that the server trusts", "No certificate was sent"])
        .action(CLIENT_CERT),
    LATE.code("ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED", "The server found the client's certificate expired.")
        .causes(&["The client certificate was not renewed"])
        .action("Renew the client certificate."),
    LATE.code("ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN", "The server could not accept the client's certificate.")
        .causes(&["The certificate is not from an authority that the server trusts"])
        .action(CLIENT_CERT),
    LATE.code("ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "The server does not know the authority of the client's certificate.")
        .causes(&["The client's authority is not configured on the server"])
        .action(CLIENT_CERT),
    LATE.code("ERR_SSL_TLSV1_ALERT_ACCESS_DENIED", "The server accepted the certificate and denied access.")
        .causes(&["The certificate is not authorised"])
        .action(CLIENT_CERT),
    LATE.code("ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR", "A signature in the handshake was wrong.")
        .causes(&["The key does not belong to the certificate"])
        .action("Check that `key` and `cert` belong together."),
    LATE.code("ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR", "The TLS side of the server failed.")
        .transient()
        .causes(&["The server has no certificate for this host name", "The server is overloaded"])
        .action("Retry with backoff; check the host name."),
    LATE.code("ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC", "A TLS record was damaged.")
        .transient()
        .causes(&["A middlebox changed the data", "Faulty hardware", "A connection used by two processes after a fork"])
        .action("Retry on a new connection; if it persists, look at the network path."),
    LATE.code("ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC", "A TLS record was damaged.")
        .transient()
        .causes(&["A middlebox changed the data", "Faulty hardware"])
        .action("Retry on a new connection; if it persists, look at the network path."),
    LATE.code("ERR_SSL_*", "The TLS connection failed.")
        .causes(&["The rest of the code is OpenSSL's own name for what happened"])
        .action("Read the rest of the code; `openssl s_client -connect host:port` shows the handshake."),
    FAILED
        .code("ERR_TLS_*", "The TLS connection could not be set up.")
        .causes(&["An option of `tls` or `https` that does not fit"])
        .action("Read the message: it names the option."),
    FAILED
        .code("ERR_TLS_INVALID_PROTOCOL_VERSION", "A TLS version in the options is not valid.")
        .causes(&["A typing error in `minVersion` or `maxVersion`"])
        .action("Use TLSv1.2 or TLSv1.3."),
];
