// How much one client may ask for in a minute: counted by client id once a token has said who it is, else by network
// address. Counts are kept in memory, per process. https://www.rfc-editor.org/rfc/rfc6585#section-4

import { isIP } from 'node:net';
import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Fault } from '../fault.ts';
import { findGrant } from './grant-of.ts';

/** Requests per minute. */
export interface RequestLimits {
  readonly perClient: number;
  /** Other numbers, by client id. */
  readonly clients: Readonly<Record<string, number>>;
  readonly perAddress: number;
}

export interface RateLimits {
  /** Counts a request that has a grant. @throws Fault throttled */
  client(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** Counts a request that has none. @throws Fault throttled */
  address(request: FastifyRequest, reply: FastifyReply): Promise<void>;
}

/** Clients or addresses that are counted at once; past it the ones longest unseen are forgotten. */
const CAPACITY = 50_000;

export async function createRateLimits(server: FastifyInstance, limits: RequestLimits): Promise<RateLimits> {
  await server.register(rateLimit, { global: false, cache: CAPACITY, timeWindow: 60_000 });
  const others = new Map(Object.entries(limits.clients));
  const countClient = server.createRateLimit({
    keyGenerator: clientOf,
    max: others.size === 0 ? limits.perClient : (_request, client) => others.get(client) ?? limits.perClient,
  });
  const countAddress = server.createRateLimit({ keyGenerator: networkOf, max: limits.perAddress });

  const refuseBeyond = async (
    count: ReturnType<FastifyInstance['createRateLimit']>,
    counted: string,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> => {
    const verdict = await count(request);
    if (verdict.isAllowed || !verdict.isExceeded) return;
    const { max, ttlInSeconds } = verdict;
    reply.headers({ 'ratelimit-limit': max, 'ratelimit-remaining': 0, 'ratelimit-reset': ttlInSeconds });
    throw new Fault(
      'throttled',
      `More than ${max} requests in a minute from one ${counted}. Try again in ${ttlInSeconds} seconds.`,
      { context: { counted, retryAfterSeconds: ttlInSeconds } },
    );
  };
  return {
    client: (request, reply) => refuseBeyond(countClient, 'client', request, reply),
    address: (request, reply) => refuseBeyond(countAddress, 'address', request, reply),
  };
}

/** Where a request came from. What a proxy says is believed only when it is a trusted one and says an address. */
export function addressOf(request: FastifyRequest): string {
  return isIP(request.ip) === 0 ? (request.socket.remoteAddress ?? '') : request.ip;
}

/** Its network: an IPv4 address, or the first half of an IPv6 address, the rest of which a client chooses itself. */
export function networkOf(request: FastifyRequest): string {
  return normalizeIP(addressOf(request));
}

function clientOf(request: FastifyRequest): string {
  const { reference, client } = findGrant(request)?.actor ?? {};
  return client ?? reference ?? '';
}
