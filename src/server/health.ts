// GET /healthz: the process lives. GET /readyz: it can serve and write. Both open, for load balancers and service managers.
import type { FastifyInstance } from 'fastify';
import type { Store } from '../store/store.ts';
import type { Watchdog } from '../transitions/watchdog.ts';

/**
 * @param watchdog absent: nothing is followed up. What it complains of is said but makes nobody less ready: without this
 * process there would be one fewer to see to it.
 */
export function serveHealth(server: FastifyInstance, store: Store, watchdog?: Pick<Watchdog, 'complaints'>): void {
  const config = { open: true, unlimited: true };
  server.get('/healthz', { config }, async () => ({ status: 'ok' }));
  server.get('/readyz', { config }, async (_request, reply) => {
    const isReady = await store.ready();
    const complaints = (await watchdog?.complaints()) ?? [];
    const status = isReady ? 'ready' : 'the store cannot write';
    return reply.code(isReady ? 200 : 503).send(complaints.length > 0 ? { status, complaints } : { status });
  });
}
