// Before anything else of a request is read: whose is it? Everything needs a token except routes that say `open`.
import type { FastifyInstance } from 'fastify';
import type { Access } from '../access/access.ts';
import { decideDoor } from '../access/decide.ts';
import { setGrant } from './grant-of.ts';
import { refuseMisplacedToken } from './misplaced-token.ts';
import { factsOf } from './route-facts.ts';

export function authenticateAll(server: FastifyInstance, access: Access): void {
  server.addHook('onRequest', async (request) => {
    refuseMisplacedToken(request);
    const { open, door } = factsOf(request);
    if (open) return;
    const grant = await access.authenticate(request.headers.authorization);
    setGrant(request, { ...grant, actor: { ...grant.actor, requestId: request.id, address: request.ip } });
    if (door) decideDoor(grant, door);
  });
}
