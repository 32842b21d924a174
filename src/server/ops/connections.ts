// /ops/connections: external servers, made and changed while Baton runs, and looked at before anybody relies on them.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Fault } from '../../fault.ts';
import type { Sync } from '../../sync/sync.ts';
import { grantOf } from '../grant-of.ts';
import type { RouteFacts } from '../route-facts.ts';

type Part = Pick<Sync, 'status' | 'connections' | 'checkConnection'>;

export function serveConnections(server: FastifyInstance, sync: Part): void {
  const { connections } = sync;
  const shown = async (name: string) => {
    const { connection, ...more } = await connections.read(name);
    const status = (await sync.status()).find((one) => one.name === name);
    if (!status) throw new Fault('not-found', `There is no connection "${name}".`);
    return { connection, ...more, status };
  };

  server.get('/ops/connections/:id', facts('connections', 'R'), (request) => shown(nameIn(request)));
  server.put('/ops/connections/:id', facts('connection-put', 'U'), async (request, reply) => {
    const name = nameIn(request);
    const { created } = await connections.put(grantOf(request).actor, name, request.body);
    if (created) reply.code(201).header('location', `/ops/connections/${name}`);
    return shown(name);
  });
  server.patch('/ops/connections/:id', facts('connection-patch', 'U'), async (request) => {
    const name = nameIn(request);
    await connections.patch(grantOf(request).actor, name, request.body);
    return shown(name);
  });
  server.delete('/ops/connections/:id', facts('connection-delete', 'D'), async (request, reply) => {
    await connections.remove(grantOf(request).actor, nameIn(request));
    return reply.code(204).send();
  });
  for (const method of ['GET', 'POST'] as const) {
    server.route({
      method,
      url: '/ops/connections/:id/check',
      ...facts('connection-check', 'E'),
      handler: (request) => sync.checkConnection(nameIn(request)),
    });
  }
}

const facts = (name: string, action: NonNullable<RouteFacts['action']>): { config: RouteFacts } => ({
  config: { door: 'baton/ops', interaction: `ops-${name}`, action },
});

/** Called `id` in the routes, as the audit trail calls what a request is about. */
const nameIn = (request: FastifyRequest) => (request.params as { id: string }).id;
