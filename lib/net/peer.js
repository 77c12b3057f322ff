'use strict';

/** Whom a TLS connection leads to, told as `tls.TLSSocket` tells it. */

/** What a handshake came to, or that there was none. */
class Peer {
  #tls;
  #certificates;

  /** @param {object | null} tls as `src/node/socket.rs` tells it */
  constructor(tls) {
    this.#tls = tls;
  }

  get authorized() {
    return this.#tls !== null && this.#tls.refusal === null;
  }

  get authorizationError() {
    return this.#tls?.refusal ?? null;
  }

  get alpnProtocol() {
    return this.#tls?.alpn ?? false;
  }

  get protocol() {
    return this.#tls?.protocol ?? null;
  }

  get cipher() {
    if (this.#tls === null) return {};
    const { cipher, protocol } = this.#tls;
    return { name: cipher, standardName: cipher, version: protocol };
  }

  /** `undefined`: there is none. */
  get x509() {
    return this.#chain()[0];
  }

  /** As `tlsSocket.getPeerCertificate`. */
  certificate(detailed) {
    const [own, ...others] = this.#chain().map((certificate) => certificate.toLegacyObject());
    if (own === undefined) return {};
    if (detailed) {
      others.reduce((issued, issuer) => Object.assign(issued, { issuerCertificate: issuer }).issuerCertificate, own);
    }
    return own;
  }

  #chain() {
    if (this.#certificates === undefined) {
      const { X509Certificate } = require('node:crypto');
      const encoded = this.#tls?.certificates ?? [];
      this.#certificates = encoded.map((hex) => new X509Certificate(Buffer.from(hex, 'hex')));
    }
    return this.#certificates;
  }
}

module.exports = { Peer };
