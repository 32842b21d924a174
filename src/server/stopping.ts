// Stopping without waiting for clients: a kept-alive connection that had a request in flight when the server began to
// close would otherwise stay open until it has been idle for long, and the process with it.
import type { FastifyInstance } from 'fastify';

export function letConnectionsGo(server: FastifyInstance): void {
  let stopping = false;
  server.addHook('preClose', async () => {
    stopping = true;
  });
  server.addHook('onSend', (_request, reply, _payload, done) => {
    if (stopping) reply.header('connection', 'close');
    done();
  });
  // An answer whose headers had left before the stop could not say so.
  server.addHook('onResponse', (_request, _reply, done) => {
    if (stopping) server.server.closeIdleConnections();
    done();
  });
}
