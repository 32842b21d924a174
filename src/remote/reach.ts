// Whether a server can be reached at all, before HTTP: its name, and the handshake with its certificate.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { reasonOf } from './classify.ts';
import type { TlsTexts } from './client-certificate.ts';

export type Reached<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly code: string };

export interface Handshake {
  /** `TLSv1.3`. */
  readonly protocol: string;
  /** Last day of the server's certificate, `2027-01-31`. */
  readonly validUntil: string;
}

/** Network addresses of the host of a URL. */
export async function resolveHost(url: string): Promise<Reached<readonly string[]>> {
  const host = hostOf(url);
  if (isIP(host) !== 0) return { ok: true, value: [host] };
  try {
    return { ok: true, value: (await lookup(host, { all: true })).map(({ address }) => address) };
  } catch (error) {
    return { ok: false, code: reasonOf(error) };
  }
}

/** A handshake and nothing else. With TLS 1.3 a server refuses a missing client certificate only after it. */
export async function shakeHands(
  url: string,
  texts: TlsTexts,
  timeout: Temporal.Duration,
): Promise<Reached<Handshake>> {
  const host = hostOf(url);
  const socket = connect({
    host,
    port: Number(new URL(url).port || 443),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...texts,
  });
  try {
    return { ok: true, value: await secured(socket, timeout.total('milliseconds')) };
  } catch (error) {
    return { ok: false, code: reasonOf(error) };
  } finally {
    socket.destroy();
  }
}

function secured(socket: TLSSocket, milliseconds: number): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(milliseconds, () => reject(Object.assign(new Error('no handshake'), { code: 'time-out' })));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const until = socket.getPeerX509Certificate()?.validToDate.toTemporalInstant();
      const validUntil = until?.toZonedDateTimeISO('UTC').toPlainDate().toString() ?? 'unknown';
      resolve({ protocol: socket.getProtocol() ?? 'TLS', validUntil });
    });
  });
}

/** Without the brackets of IPv6. */
const hostOf = (url: string) => new URL(url).hostname.replace(/^\[|\]$/g, '');
