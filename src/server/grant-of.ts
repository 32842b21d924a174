// Where a request's grant is kept between the hook that authenticates it and the code that needs it.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Grant } from '../access/grant.ts';

const KEY = 'grant';

export function declareGrant(server: FastifyInstance): void {
  server.decorateRequest(KEY, null);
}

export function setGrant(request: FastifyRequest, grant: Grant): void {
  request.setDecorator<Grant | null>(KEY, grant);
}

/** Undefined on open routes and when authentication failed. */
export function findGrant(request: FastifyRequest): Grant | undefined {
  return request.getDecorator<Grant | null>(KEY) ?? undefined;
}

/** The grant on a route that needs one. */
export function grantOf(request: FastifyRequest): Grant {
  const grant = findGrant(request);
  if (!grant) throw new Error('This route was reached without authentication.');
  return grant;
}
