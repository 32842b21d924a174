// Where a request came from, as audit records say it and as limits count it.
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { RequestOrigin } from '../access/oauth/request-origin.ts';

/** The client's address. What a proxy says is believed only when it is a trusted one and says an address. */
export function addressOf(request: FastifyRequest): string {
  const { ip } = request;
  return isIP(ip) === 0 ? (request.socket.remoteAddress ?? '') : ip;
}

/** What the audit trail keeps of any request beside who asks. */
export function originOf(request: FastifyRequest): RequestOrigin {
  return { requestId: request.id, address: addressOf(request) };
}

/** Its network: an IPv4 address, or the first half of an IPv6 address, the rest of which a client chooses itself. */
export function networkOf(request: FastifyRequest): string {
  const address = addressOf(request);
  return address.includes(':') ? networkOfIpv6(address) : address;
}

/** https://www.rfc-editor.org/rfc/rfc4291#section-2.2, and IPv4 written as IPv6 as IPv4 */
function networkOfIpv6(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped) return mapped;
  const [before = '', after] = address.split('::');
  const first = before === '' ? [] : before.split(':');
  const last = after ? after.split(':') : [];
  const zeros = after === undefined ? [] : Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0');
  const groups = [...first, ...zeros, ...last].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
