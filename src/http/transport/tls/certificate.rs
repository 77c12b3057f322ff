//! What a certificate says of itself.
//!
//! webpki reads certificates too, and its reading is what chains are built on. It does not tell what OpenSSL, and with it
//! Node, goes by besides: the common name, the validity and the purposes of a trusted root, key usages, and anything
//! about a certificate of version 1.

use rustls::pki_types::{SubjectPublicKeyInfoDer, UnixTime};

use super::der::{
    BIT_STRING, BOOLEAN, Element, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, SET, constructed,
    primitive,
};

/// RFC 5280, section 4.2.1.3: bits of the first octet, in which the first bit is the highest.
const DIGITAL_SIGNATURE: u8 = 0x80;
const KEY_ENCIPHERMENT: u8 = 0x20;
const KEY_AGREEMENT: u8 = 0x08;
const KEY_CERT_SIGN: u8 = 0x04;

/// id-kp-serverAuth, 1.3.6.1.5.5.7.3.1.
const SERVER_AUTH: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];
/// rsaEncryption, 1.2.840.113549.1.1.1.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// id-at-commonName, 2.5.4.3.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// The id-ce arc, 2.5.29, of the extensions below.
const ID_CE: &[u8] = &[0x55, 0x1d];
const SUBJECT_KEY_IDENTIFIER: u8 = 14;
const KEY_USAGE: u8 = 15;
const SUBJECT_ALT_NAME: u8 = 17;
const BASIC_CONSTRAINTS: u8 = 19;
const NAME_CONSTRAINTS: u8 = 30;
const AUTHORITY_KEY_IDENTIFIER: u8 = 35;
const EXTENDED_KEY_USAGE: u8 = 37;

/// GeneralName, RFC 5280, section 4.2.1.6.
const DNS_NAME: u8 = primitive(2);
const IP_ADDRESS: u8 = primitive(7);

#[derive(Debug, Clone)]
pub struct Certificate<'a> {
    /// The contents of the name, as webpki shows it.
    pub issuer: &'a [u8],
    pub subject: &'a [u8],
    pub validity: Validity,
    /// What the signature is over.
    signed: &'a [u8],
    /// The contents of the AlgorithmIdentifier.
    pub signature_algorithm: &'a [u8],
    signature: &'a [u8],
    public_key: &'a [u8],
    is_version_1: bool,
    is_authority: Option<bool>,
    /// How many authorities may stand between this one and a server.
    pub path_length: Option<u8>,
    key_usage: Option<u8>,
    extended_key_usage: Option<&'a [u8]>,
    alternative_names: Option<&'a [u8]>,
    pub constrains_names: bool,
    subject_key: Option<&'a [u8]>,
    authority_key: Option<&'a [u8]>,
    /// An extension that must be understood and is not.
    pub has_unknown_duty: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct Validity {
    pub not_before: UnixTime,
    pub not_after: UnixTime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issuing {
    Allowed,
    /// Its key usage names other things only.
    NotAllowed,
    NoAuthority,
}

impl<'a> Certificate<'a> {
    /// `None`: not a certificate.
    pub fn read(der: &'a [u8]) -> Option<Self> {
        let mut certificate = Reader(Reader(der).expect(SEQUENCE)?.contents);
        let signed = certificate.expect(SEQUENCE)?;
        let signature_algorithm = certificate.expect(SEQUENCE)?.contents;
        // The first octet says how many bits of the last one do not count.
        let signature = certificate.expect(BIT_STRING)?.contents.strip_prefix(&[0])?;

        let mut fields = Reader(signed.contents);
        let version = fields.optional(constructed(0));
        fields.expect(INTEGER)?; // serialNumber
        fields.expect(SEQUENCE)?; // signature, the algorithm once more
        let issuer = fields.expect(SEQUENCE)?.contents;
        let mut validity = Reader(fields.expect(SEQUENCE)?.contents);
        let validity = Validity { not_before: validity.time()?, not_after: validity.time()? };
        let subject = fields.expect(SEQUENCE)?.contents;
        let public_key = fields.expect(SEQUENCE)?.whole;
        let mut read = Certificate {
            issuer,
            subject,
            validity,
            signed: signed.whole,
            signature_algorithm,
            signature,
            public_key,
            is_version_1: version.is_none(),
            is_authority: None,
            path_length: None,
            key_usage: None,
            extended_key_usage: None,
            alternative_names: None,
            constrains_names: false,
            subject_key: None,
            authority_key: None,
            has_unknown_duty: false,
        };
        while !fields.is_empty() {
            let field = fields.element()?;
            if field.tag == constructed(3) {
                let mut extensions = Reader(Reader(field.contents).expect(SEQUENCE)?.contents);
                while !extensions.is_empty() {
                    read.extension(extensions.expect(SEQUENCE)?)?;
                }
            }
        }
        Some(read)
    }

    fn extension(&mut self, extension: Element<'a>) -> Option<()> {
        let mut parts = Reader(extension.contents);
        let identifier = parts.expect(OBJECT_IDENTIFIER)?.contents;
        let critical = parts.optional(BOOLEAN).is_some_and(|critical| critical.contents != [0]);
        let mut value = Reader(parts.expect(OCTET_STRING)?.contents);
        let known = match identifier.strip_prefix(ID_CE) {
            Some([known]) => *known,
            _ => 0,
        };
        match known {
            SUBJECT_KEY_IDENTIFIER => self.subject_key = Some(value.expect(OCTET_STRING)?.contents),
            KEY_USAGE => self.key_usage = Some(value.expect(BIT_STRING)?.contents.get(1).copied().unwrap_or(0)),
            SUBJECT_ALT_NAME => self.alternative_names = Some(value.expect(SEQUENCE)?.contents),
            BASIC_CONSTRAINTS => {
                let mut constraints = Reader(value.expect(SEQUENCE)?.contents);
                self.is_authority = Some(constraints.optional(BOOLEAN).is_some_and(|is| is.contents != [0]));
                // No chain is longer than 255.
                self.path_length = constraints.optional(INTEGER).map(|length| match length.contents {
                    [length] => *length,
                    _ => u8::MAX,
                });
            }
            NAME_CONSTRAINTS => self.constrains_names = true,
            AUTHORITY_KEY_IDENTIFIER => {
                let mut identifier = Reader(value.expect(SEQUENCE)?.contents);
                self.authority_key = identifier.optional(primitive(0)).map(|key| key.contents);
            }
            EXTENDED_KEY_USAGE => self.extended_key_usage = Some(value.expect(SEQUENCE)?.contents),
            _ => self.has_unknown_duty |= critical,
        }
        Some(())
    }

    /// Its issuer has its own name: it is the top of a chain.
    pub fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }

    /// Version 1 has no extensions. `openssl x509 -req` makes it where it is given none.
    pub fn is_version_1(&self) -> bool {
        self.is_version_1
    }

    /// Whether `issuer` can have issued it, by name and by the key identifiers where both are there.
    pub fn names_as_issuer(&self, issuer: &Certificate<'_>) -> bool {
        let same_key = match (self.authority_key, issuer.subject_key) {
            (Some(named), Some(own)) => named == own,
            _ => true,
        };
        self.issuer == issuer.subject && same_key
    }

    /// Whether it says that it is an authority.
    pub fn is_authority(&self) -> bool {
        self.is_authority == Some(true)
    }

    /// Whether OpenSSL lets it issue others (`check_ca`).
    pub fn issuing(&self) -> Issuing {
        if self.key_usage.is_some_and(|usage| usage & KEY_CERT_SIGN == 0) {
            return Issuing::NotAllowed;
        }
        let is_authority =
            self.is_authority.unwrap_or(self.key_usage.is_some() || self.is_version_1 && self.is_self_issued());
        if is_authority { Issuing::Allowed } else { Issuing::NoAuthority }
    }

    /// Whether its extended usages, where it has some, include servers. Asked of authorities as well.
    pub fn allows_servers(&self) -> bool {
        let Some(usages) = self.extended_key_usage else {
            return true;
        };
        let mut usages = Reader(usages);
        std::iter::from_fn(|| usages.element()).any(|usage| usage.contents == SERVER_AUTH)
    }

    /// Whether OpenSSL lets a server use it (`check_purpose_ssl_server`).
    pub fn may_serve(&self) -> bool {
        const FOR_TLS: u8 = DIGITAL_SIGNATURE | KEY_ENCIPHERMENT | KEY_AGREEMENT;
        self.allows_servers() && self.key_usage.is_none_or(|usage| usage & FOR_TLS != 0)
    }

    /// The names of type DNS among its alternative names, as they stand there.
    pub fn dns_names(&self) -> impl Iterator<Item = &'a [u8]> {
        self.alternative(DNS_NAME)
    }

    /// The addresses among its alternative names, of 4 or 16 octets.
    pub fn addresses(&self) -> impl Iterator<Item = &'a [u8]> {
        self.alternative(IP_ADDRESS)
    }

    fn alternative(&self, kind: u8) -> impl Iterator<Item = &'a [u8]> {
        let mut names = Reader(self.alternative_names.unwrap_or_default());
        std::iter::from_fn(move || names.element()).filter(move |name| name.tag == kind).map(|name| name.contents)
    }

    /// The common names of its subject, as they stand there: a text that is not of one octet per character matches
    /// nothing.
    pub fn common_names(&self) -> impl Iterator<Item = &'a [u8]> {
        let mut sets = Reader(self.subject);
        std::iter::from_fn(move || sets.expect(SET)).flat_map(|set| {
            let mut attributes = Reader(set.contents);
            std::iter::from_fn(move || attributes.expect(SEQUENCE)).filter_map(|attribute| {
                let mut parts = Reader(attribute.contents);
                let kind = parts.expect(OBJECT_IDENTIFIER)?.contents;
                (kind == COMMON_NAME).then(|| parts.element()).flatten().map(|value| value.contents)
            })
        })
    }

    pub fn public_key(&self) -> SubjectPublicKeyInfoDer<'a> {
        SubjectPublicKeyInfoDer::from(self.public_key)
    }

    /// The length of its key, if that is of RSA.
    pub fn rsa_bits(&self) -> Option<usize> {
        let mut parts = Reader(Reader(self.public_key).expect(SEQUENCE)?.contents);
        let mut algorithm = Reader(parts.expect(SEQUENCE)?.contents);
        if algorithm.expect(OBJECT_IDENTIFIER)?.contents != RSA {
            return None;
        }
        let key = parts.expect(BIT_STRING)?.contents.strip_prefix(&[0])?;
        let modulus = Reader(Reader(key).expect(SEQUENCE)?.contents).expect(INTEGER)?.contents;
        // The first octet is 0 where the number would look negative without it.
        let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
        Some(modulus.len() * 8 - modulus.first()?.leading_zeros() as usize)
    }

    /// What was signed, and the signature.
    pub fn signature(&self) -> (&'a [u8], &'a [u8]) {
        (self.signed, self.signature)
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
        KeyUsagePurpose, date_time_ymd,
    };

    use super::*;

    fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["a.test".to_owned(), "10.0.0.1".to_owned()]).unwrap();
        change(&mut params);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn reads_names_and_times() {
        let der = self_signed(|params| {
            params.distinguished_name.push(DnType::OrganizationName, "Org");
            params.distinguished_name.push(DnType::CommonName, "cn.test");
            params.not_before = date_time_ymd(2001, 2, 3);
            params.not_after = date_time_ymd(2100, 2, 3);
        });
        let read = Certificate::read(&der).unwrap();
        assert_eq!(read.dns_names().collect::<Vec<_>>(), [b"a.test"]);
        assert_eq!(read.addresses().collect::<Vec<_>>(), [[10, 0, 0, 1]]);
        assert_eq!(read.common_names().last().unwrap(), b"cn.test");
        assert_eq!(read.validity.not_before.as_secs(), 981_158_400);
        assert_eq!(read.validity.not_after.as_secs(), 4_105_296_000);
        assert!(read.is_self_issued() && !read.is_version_1() && !read.has_unknown_duty);
    }

    #[test]
    fn reads_the_same_as_webpki() {
        let der = self_signed(|_| {});
        let certificate = rustls::pki_types::CertificateDer::from(der.as_slice());
        let known = webpki::EndEntityCert::try_from(&certificate).unwrap();
        let read = Certificate::read(&der).unwrap();
        assert_eq!((read.issuer, read.subject), (known.issuer(), known.subject()));
        assert_eq!(read.public_key(), known.subject_public_key_info());
    }

    #[test]
    fn tells_authorities_from_servers() {
        let authority = self_signed(|params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(3)));
        let read = Certificate::read(&authority).unwrap();
        assert!(read.is_authority() && read.may_serve());
        assert_eq!((read.issuing(), read.path_length), (Issuing::Allowed, Some(3)));

        let signer = self_signed(|params| {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        });
        let read = Certificate::read(&signer).unwrap();
        assert!(read.issuing() == Issuing::Allowed && !read.may_serve());

        let server = self_signed(|params| {
            params.is_ca = IsCa::ExplicitNoCa;
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        });
        let read = Certificate::read(&server).unwrap();
        assert!(read.issuing() == Issuing::NotAllowed && read.may_serve());

        let client = self_signed(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
        assert!(!Certificate::read(&client).unwrap().may_serve());
        let plain = self_signed(|_| {});
        assert_eq!(Certificate::read(&plain).unwrap().issuing(), Issuing::NoAuthority);
    }

    #[test]
    fn an_unknown_extension_is_a_duty_where_it_is_critical() {
        let with = |critical| {
            self_signed(|params| {
                let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
                extension.set_criticality(critical);
                params.custom_extensions.push(extension);
            })
        };
        assert!(Certificate::read(&with(true)).unwrap().has_unknown_duty);
        assert!(!Certificate::read(&with(false)).unwrap().has_unknown_duty);
    }

    #[test]
    fn no_part_of_a_certificate_is_one() {
        let der = self_signed(|_| {});
        for length in 0..der.len() {
            assert!(Certificate::read(&der[..length]).is_none(), "{length} of {}", der.len());
        }
    }
}
