//! Certificates that were not accepted: the codes of Node's `tls` (OpenSSL's `X509_V_ERR_*`).

use crate::fault::catalogue::{Entry, Family};
use crate::fault::{Delivery, Kind, Phase};

pub(in crate::fault::catalogue) const FAMILY: Family = Family {
    title: "Certificates",
    introduction: "The server's certificate was not accepted, so nothing was sent. A retry meets the same certificate: these \
                   are never transient. Do not answer them with `rejectUnauthorized: false`: that accepts every impostor.",
    entries: ENTRIES,
};

const REJECTED: Entry = Entry::of(Kind::Tls, Phase::Handshake, Delivery::NotSent).reconnect();
const RENEW: &str = "Renew the certificate on the server, and check the clock of this computer.";
const SEND_CHAIN: &str =
    "Let the server send the whole chain, or name the issuing authority in `ca` or NODE_EXTRA_CA_CERTS.";
const TRUST: &str = "If the certificate is yours, name it or its authority in `ca` or NODE_EXTRA_CA_CERTS.";
const REISSUE: &str = "Have the certificate issued again.";
const REVOCATION: &str = "Load a current revocation list into `crl`, or leave `crl` out.";

const ENTRIES: &[Entry] = &[
    REJECTED
        .code("DEPTH_ZERO_SELF_SIGNED_CERT", "The server's certificate is self-signed and not trusted here.")
        .causes(&["A development server", "An appliance with its factory certificate", "An impostor"])
        .action(TRUST),
    REJECTED
        .code("SELF_SIGNED_CERT_IN_CHAIN", "The chain ends in a root that is not trusted here.")
        .causes(&["A company proxy that inspects TLS", "A private authority"])
        .action(TRUST),
    REJECTED
        .code(
            "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
            "The server sent only its own certificate, and its issuer is not known here.",
        )
        .causes(&["The server does not send the intermediate certificates", "A private authority"])
        .action(SEND_CHAIN),
    REJECTED
        .code("UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "The issuer of a certificate in the chain is not known here.")
        .causes(&[
            "The server does not send the intermediate certificates",
            "A company proxy that inspects TLS",
            "A private authority",
        ])
        .action(SEND_CHAIN),
    REJECTED
        .code("UNABLE_TO_GET_ISSUER_CERT", "The issuer of a trusted certificate could not be found.")
        .causes(&["An incomplete list in `ca`"])
        .action(SEND_CHAIN),
    REJECTED
        .code("CERT_HAS_EXPIRED", "A certificate of the server has expired.")
        .causes(&[
            "The automatic renewal failed",
            "The clock of this computer is wrong",
            "An intermediate certificate has expired",
        ])
        .action(RENEW),
    REJECTED
        .code("CERT_NOT_YET_VALID", "A certificate of the server is not valid yet.")
        .causes(&["The clock of this computer is wrong", "A certificate that was just issued"])
        .action(RENEW),
    REJECTED
        .code("ERR_TLS_CERT_ALTNAME_INVALID", "The certificate is for another host name.")
        .causes(&[
            "The server was called by its address or by another name",
            "The wrong virtual host answered",
            "An impostor",
        ])
        .action("Call the server by a name in its certificate, or have the name added to it."),
    REJECTED
        .code("HOSTNAME_MISMATCH", "The certificate is for another host name.")
        .becomes("ERR_TLS_CERT_ALTNAME_INVALID")
        .causes(&["The server was called by another name than its certificate says"])
        .action("Call the server by a name in its certificate."),
    REJECTED
        .code("ERR_TLS_CERT_ALTNAME_FORMAT", "The names in the certificate are malformed.")
        .causes(&["A certificate made by hand"])
        .action(REISSUE),
    REJECTED
        .code("CERT_REVOKED", "The certificate was revoked.")
        .causes(&["Its key was stolen, or it was replaced"])
        .action("Install a new certificate on the server."),
    REJECTED
        .code("CERT_UNTRUSTED", "The certificate is not trusted for this purpose.")
        .causes(&["The root is marked as not trusted"])
        .action(TRUST),
    REJECTED
        .code("CERT_REJECTED", "The certificate is marked as rejected for this purpose.")
        .causes(&["The root is marked as rejected"])
        .action(TRUST),
    REJECTED
        .code("CERT_SIGNATURE_FAILURE", "The signature of a certificate is wrong.")
        .causes(&["A damaged certificate", "Two authorities with the same name and other keys"])
        .action(REISSUE),
    REJECTED
        .code("CERT_CHAIN_TOO_LONG", "The certificate chain is too long.")
        .causes(&["A loop among intermediate certificates"])
        .action("Shorten the chain on the server."),
    REJECTED
        .code("INVALID_CA", "A certificate in the chain is not one of an authority.")
        .causes(&["An intermediate certificate without `CA:TRUE`"])
        .action(REISSUE),
    REJECTED
        .code("INVALID_PURPOSE", "The certificate is not meant for servers.")
        .causes(&["A client certificate on a server", "An extended key usage without `serverAuth`"])
        .action(REISSUE),
    REJECTED
        .code("PATH_LENGTH_EXCEEDED", "The chain is longer than an authority in it allows.")
        .causes(&["An authority below one that may not have others below it"])
        .action(REISSUE),
    REJECTED
        .code("UNABLE_TO_DECRYPT_CERT_SIGNATURE", "The signature of a certificate could not be decrypted.")
        .causes(&["A damaged certificate"])
        .action(REISSUE),
    REJECTED
        .code("UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY", "The public key of an issuer could not be read.")
        .causes(&["A damaged certificate, or a kind of key that is not supported"])
        .action(REISSUE),
    REJECTED
        .code("ERROR_IN_CERT_NOT_BEFORE_FIELD", "The begin date of a certificate could not be read.")
        .causes(&["A certificate made by hand"])
        .action(REISSUE),
    REJECTED
        .code("ERROR_IN_CERT_NOT_AFTER_FIELD", "The end date of a certificate could not be read.")
        .causes(&["A certificate made by hand"])
        .action(REISSUE),
    REJECTED
        .code("UNABLE_TO_GET_CRL", "No revocation list for the certificate was found.")
        .causes(&["`crl` is set without the list of this issuer"])
        .action(REVOCATION),
    REJECTED
        .code("UNABLE_TO_DECRYPT_CRL_SIGNATURE", "The signature of the revocation list could not be decrypted.")
        .causes(&["A damaged revocation list"])
        .action(REVOCATION),
    REJECTED
        .code("CRL_SIGNATURE_FAILURE", "The signature of the revocation list is wrong.")
        .causes(&["A damaged revocation list"])
        .action(REVOCATION),
    REJECTED
        .code("CRL_NOT_YET_VALID", "The revocation list is not valid yet.")
        .causes(&["The clock of this computer is wrong"])
        .action(REVOCATION),
    REJECTED
        .code("CRL_HAS_EXPIRED", "The revocation list has expired.")
        .causes(&["The list was not renewed"])
        .action(REVOCATION),
    REJECTED
        .code("ERROR_IN_CRL_LAST_UPDATE_FIELD", "The begin date of the revocation list could not be read.")
        .causes(&["A damaged revocation list"])
        .action(REVOCATION),
    REJECTED
        .code("ERROR_IN_CRL_NEXT_UPDATE_FIELD", "The end date of the revocation list could not be read.")
        .causes(&["A damaged revocation list"])
        .action(REVOCATION),
    REJECTED
        .code("OUT_OF_MEM", "There was not enough memory to verify the certificate.")
        .transient()
        .causes(&["The process or container is short of memory"])
        .action("Give it more memory, or make fewer calls at once."),
];
