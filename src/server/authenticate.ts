// Before anything else of a request is read: whose is it, and do they ask for too much? Everything needs a token except
// routes that say `open`.
import { hash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../access/access.ts';
import { decideDoor } from '../access/decide.ts';
import type { FailedAttempts } from '../access/failed-attempts.ts';
import type { Grant } from '../access/grant.ts';
import { Fault } from '../fault.ts';
import { networkOf, originOf } from './address.ts';
import { setGrant } from './grant-of.ts';
import { refuseMisplacedToken } from './misplaced-token.ts';
import type { RateLimits } from './rate-limits.ts';
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

  /** When somebody fails at this address, a token that has been good goes on being good for who shares it. */
  const authenticateWatched = async (authorization: string, request: FastifyRequest): Promise<Grant> => {
    const token = hash('sha256', authorization);
    const isProven = proven.has(token);
    const failures = isProven ? 0 : (attempts?.check('token', { address: networkOf(request) }) ?? 0);
    const grant = await access.authenticate(authorization, request.raw.socket);
    if (failures > 0) remember(proven, token);
    return grant;
  };

  const authenticate = async (request: FastifyRequest, reply: FastifyReply): Promise<Grant> => {
    const { authorization } = request.headers;
    try {
      if (!attempts || attempts.isQuiet() || authorization === undefined)
        return await access.authenticate(authorization, request.raw.socket);
      return await authenticateWatched(authorization, request);
    } catch (error) {
      const isFailure = error instanceof Fault && error.kind === 'unauthenticated';
      if (isFailure && authorization !== undefined) attempts?.failed('token', { address: networkOf(request) });
      limits?.address(request, reply);
      throw error;
    }
  };

  const admit = (grant: Grant, request: FastifyRequest, reply: FastifyReply) => {
    setGrant(request, { ...grant, actor: { ...grant.actor, ...originOf(request) } });
    limits?.client(grant, reply);
    const { door } = factsOf(request);
    if (door) decideDoor(grant, door);
  };

  // No async function: most requests come with a token that is known, and need not wait for anything.
  server.addHook('onRequest', (request, reply, done) => {
    refuseMisplacedToken(request);
    const { open, unlimited } = factsOf(request);
    if (open) {
      if (!unlimited) limits?.address(request, reply);
      return done();
    }
    const known =
      !attempts || attempts.isQuiet() ? access.recall(request.headers.authorization, request.raw.socket) : undefined;
    if (known) {
      admit(known, request, reply);
      return done();
    }
    authenticate(request, reply)
      .then((grant) => admit(grant, request, reply))
      .then(() => done(), done);
  });
}

function remember(proven: Set<string>, token: string): void {
  const [oldest] = proven;
  if (proven.size >= PROVEN_TOKENS && oldest !== undefined) proven.delete(oldest);
  proven.add(token);
}
