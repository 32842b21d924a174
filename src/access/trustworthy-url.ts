// Which addresses may carry keys, secrets and codes: nobody on the way may read them or put in his own.
import { isIP } from 'node:net';

/** True for https, and for plain http that does not leave this machine. */
export function isTrustworthy(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
}

/**
 * True for names and addresses that only this machine answers to.
 * @param host with or without the brackets that a URL puts around IPv6
 */
export function isLoopback(host: string): boolean {
  return /^(localhost|::1|\[::1\])$/.test(host) || (isIP(host) === 4 && host.startsWith('127.'));
}
