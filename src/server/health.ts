// GET /healthz: the process lives. GET /readyz: it can serve and write. Both open, for load balancers and service managers.
import type { FastifyInstance } from 'fastify';
import type { Store } from '../store/store.ts';

export function serveHealth(server: FastifyInstance, store: Store): void {
  const config = { open: true, unlimited: true };
  server.get('/healthz', { config }, async () => ({ status: 'ok' }));
  server.get('/readyz', { config }, async (_request, reply) => {
    const ready = await store.ready();
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'the store cannot write' });
  });
}
