// Stopping without waiting for clients: a kept-alive connection that had a request in flight when the server began to
// close would otherwise stay open until it has been idle for long, and the process with it.
import type { FastifyInstance } from 'fastify';

export function letConnectionsGo(server: FastifyInstance): void {
  let stopping = false;
  server.addHook('preClose', async () => {
    stopping = true;
  });
  server.addHook('onSend', async (_request, reply) => {
    if (stopping) reply.header('connection', 'close');
  });
  // An answer whose headers had left before the stop could not say so.
  server.addHook('onResponse', async () => {
    if (stopping) server.server.closeIdleConnections();
  });
}
