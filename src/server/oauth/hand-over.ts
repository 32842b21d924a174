// Hands a request over to oidc-provider, which answers on Node's own objects. The library takes its own address from the
// request; the door makes that the public one, whatever a proxy or a client says.
import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Running } from '../../access/oauth/authorization-server.ts';
import { setOrigin } from '../../access/oauth/request-origin.ts';
import { originOf } from '../address.ts';

/**
 * Makes the request look as it does to the client, before the library or its cookies see it.
 * @param given another request than Node's own, with the same head
 */
export function asSeenByClient(request: FastifyRequest, baseUrl: string, given = request.raw): void {
  const { protocol, host, pathname } = new URL(baseUrl);
  const raw = given as IncomingMessage & { originalUrl?: string };
  raw.headers['x-forwarded-proto'] = protocol.slice(0, -1);
  raw.headers['x-forwarded-host'] = host;
  if (pathname !== '/') raw.originalUrl = `${pathname.replace(/\/$/, '')}${raw.url}`;
  setOrigin(raw, originOf(request));
}

/** @param wants what the answer may be: a page for a person, or JSON for an application */
export async function handOver(
  { handle }: Running,
  request: FastifyRequest,
  reply: FastifyReply,
  baseUrl: string,
  wants: 'page' | 'json',
  raw = request.raw,
): Promise<void> {
  asSeenByClient(request, baseUrl, raw);
  const { headers } = raw;
  if (wants === 'json') headers.accept = 'application/json';
  // Which origins may ask is decided by Baton's own rules, and they have spoken already.
  headers.origin = undefined;
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value);
  }
  if (wants === 'json') reply.raw.setHeader('cache-control', 'no-store').setHeader('pragma', 'no-cache');
  reply.hijack();
  await handle(raw, reply.raw);
}
