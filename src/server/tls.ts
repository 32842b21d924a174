// TLS: at least version 1.2, Node's own choice of ciphers, a client's certificate where one is asked for.
import type { Server, ServerOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';

/** PEM texts. */
export interface Certificates {
  readonly cert: string;
  readonly key: string;
  /** Who signs the certificates of clients; undefined asks for none. */
  readonly ca?: string;
}

export interface Tls {
  /** Called at the start and whenever the certificates may have been renewed. */
  readonly read: () => Certificates;
  /** `request` also takes clients that show no certificate; a wrong one is refused all the same. */
  readonly clientAuth: 'request' | 'require';
}

const OLDEST = 'TLSv1.2';

/** @throws Error when key and certificate do not belong together */
export function tlsOptions({ read, clientAuth }: Tls): ServerOptions {
  const certificates = read();
  const asked = certificates.ca !== undefined;
  const rejectUnauthorized = asked && clientAuth === 'require';
  return { ...certificates, minVersion: OLDEST, requestCert: asked, rejectUnauthorized };
}

/** Where a certificate is only requested, Node lets also a wrong one through. */
export function refuseWrongCertificates(server: Server, { clientAuth }: Tls): void {
  if (clientAuth !== 'request') return;
  server.on('secureConnection', (socket: TLSSocket) => {
    if (!socket.authorized && socket.getPeerX509Certificate() !== undefined) socket.destroy();
  });
}

/**
 * New connections get the certificates as they are now; those that exist go on with what they have.
 * @throws Error, and nothing changes, when they are not good
 */
export function renewCertificates(server: Server, { read }: Tls): void {
  server.setSecureContext({ ...read(), minVersion: OLDEST });
}
