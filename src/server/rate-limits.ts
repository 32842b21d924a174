// How much one client may ask for in a minute: counted by client id once a token has said who it is, else by network.
// It runs for every request, so it is two looks into a map and nothing to wait for. Counts are kept in memory, per process.
// https://www.rfc-editor.org/rfc/rfc6585#section-4
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Grant } from '../access/grant.ts';
import { Fault } from '../fault.ts';
import { networkOf } from './address.ts';

/** Requests per minute. */
export interface RequestLimits {
  readonly perClient: number;
  /** Other numbers, by client id. */
  readonly clients: Readonly<Record<string, number>>;
  readonly perAddress: number;
}

export interface RateLimits {
  /** Counts a request that has a grant. @throws Fault throttled */
  client(grant: Grant, reply: FastifyReply): void;
  /** Counts a request that has none. @throws Fault throttled */
  address(request: FastifyRequest, reply: FastifyReply): void;
}

const WINDOW_MS = 60_000;
/** Clients or networks that are counted each for itself; more in one minute are an attack, and share one count. */
const CAPACITY = 50_000;
const ALL_OTHERS = '*';

export function createRateLimits({ perClient, clients, perAddress }: RequestLimits): RateLimits {
  const others = new Map(Object.entries(clients));
  const clientCounts = createCounts();
  const addressCounts = createCounts();
  return {
    client({ actor }, reply) {
      const id = actor.client ?? actor.reference;
      const most = others.get(id) ?? perClient;
      if (clientCounts.add(id) > most) throw refuse('client', most, clientCounts.secondsLeft(), reply);
    },
    address(request, reply) {
      if (addressCounts.add(networkOf(request)) <= perAddress) return;
      throw refuse('address', perAddress, addressCounts.secondsLeft(), reply);
    },
  };
}

interface Counts {
  /** Counts one more for the key. Returns how many there were in this window. */
  add(key: string): number;
  secondsLeft(): number;
}

function createCounts(): Counts {
  const counts = new Map<string, number>();
  let end = 0;
  return {
    add(key) {
      const now = performance.now();
      if (now >= end) {
        counts.clear();
        end = now + WINDOW_MS;
      }
      const known = counts.get(key);
      const counted = known !== undefined || counts.size < CAPACITY ? key : ALL_OTHERS;
      const count = (known ?? counts.get(counted) ?? 0) + 1;
      counts.set(counted, count);
      return count;
    },
    secondsLeft: () => Math.max(1, Math.ceil((end - performance.now()) / 1000)),
  };
}

function refuse(counted: 'client' | 'address', most: number, retryAfterSeconds: number, reply: FastifyReply): Fault {
  reply.headers({ 'ratelimit-limit': most, 'ratelimit-remaining': 0, 'ratelimit-reset': retryAfterSeconds });
  return new Fault(
    'throttled',
    `More than ${most} requests in a minute from one ${counted}. Try again in ${retryAfterSeconds} seconds.`,
    { context: { counted, retryAfterSeconds } },
  );
}
