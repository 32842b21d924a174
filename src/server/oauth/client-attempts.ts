// Guessing the secrets of applications made slow, at the endpoints where they prove who they are.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Fault } from '../../fault.ts';
import { networkOf } from '../address.ts';
import type { OauthParts } from './parts.ts';

/** @returns false when the request has been answered, because too many have failed from where it comes */
export function admit(
  { attempts }: Pick<OauthParts, 'attempts'>,
  request: FastifyRequest,
  reply: FastifyReply,
): boolean {
  if (!attempts) return true;
  const trier = { address: networkOf(request) };
  try {
    attempts.check('client', trier);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    reply
      .code(error.status)
      .header('cache-control', 'no-store')
      .header('retry-after', String(error.context?.retryAfterSeconds))
      .send({ error: 'temporarily_unavailable', error_description: error.message });
    return false;
  }
  // The library answers by itself, and 401 is what it says to who is not the client that the request names.
  reply.raw.once('finish', () => {
    if (reply.raw.statusCode === 401) attempts.failed('client', trier);
  });
  return true;
}
