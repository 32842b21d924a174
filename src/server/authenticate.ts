// Before anything else of a request is read: whose is it, and do they ask for too much? Everything needs a token except
// routes that say `open`.
import { hash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../access/access.ts';
import { decideDoor } from '../access/decide.ts';
import type { FailedAttempts } from '../access/failed-attempts.ts';
import type { Grant } from '../access/grant.ts';
import { Fault } from '../fault.ts';
import { setGrant } from './grant-of.ts';
import { addressOf, networkOf, type RateLimits } from './rate-limits.ts';
import { factsOf } from './route-facts.ts';

export interface Gate {
  readonly access: Access;
  /** Absent: failures are not counted. */
  readonly attempts?: FailedAttempts | undefined;
  /** Absent: no limits. */
  readonly limits?: RateLimits | undefined;
}

/** Good tokens whose hashes are remembered from addresses with failures. */
const PROVEN_TOKENS = 1_000;

export function authenticateAll(server: FastifyInstance, { access, attempts, limits }: Gate): void {
  const proven = new Set<string>();

  const authenticate = async (request: FastifyRequest, reply: FastifyReply): Promise<Grant> => {
    const { authorization } = request.headers;
    if (!attempts || authorization === undefined) return attemptFor(request, reply, authorization);
    // Who shares an address with somebody that guesses goes on working with a token that has been good before.
    if (proven.size > 0 && proven.has(hash('sha256', authorization))) return access.authenticate(authorization);
    const trier = { address: networkOf(request) };
    const failures = attempts.check('token', trier);
    try {
      const grant = await attemptFor(request, reply, authorization);
      if (failures > 0) remember(proven, authorization);
      return grant;
    } catch (error) {
      if (error instanceof Fault && error.kind === 'unauthenticated') attempts.failed('token', trier);
      throw error;
    }
  };

  const attemptFor = async (
    request: FastifyRequest,
    reply: FastifyReply,
    authorization: string | undefined,
  ): Promise<Grant> => {
    try {
      return await access.authenticate(authorization);
    } catch (error) {
      await limits?.address(request, reply);
      throw error;
    }
  };

  server.addHook('onRequest', async (request, reply) => {
    const { open, door, unlimited } = factsOf(request);
    if (open) {
      if (!unlimited) await limits?.address(request, reply);
      return;
    }
    const grant = await authenticate(request, reply);
    setGrant(request, { ...grant, actor: { ...grant.actor, requestId: request.id, address: addressOf(request) } });
    await limits?.client(request, reply);
    if (door) decideDoor(grant, door);
  });
}

function remember(proven: Set<string>, authorization: string): void {
  const [oldest] = proven;
  if (proven.size >= PROVEN_TOKENS && oldest !== undefined) proven.delete(oldest);
  proven.add(hash('sha256', authorization));
}
