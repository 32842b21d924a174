// One line per request: who asked for which route and how it ended. The route's pattern, not its URL: URLs have ids and
// search values in them. Health checks stay out of it.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';

/** The caller's X-Request-Id when it is a sane one, else a UUID. Also goes into the audit trail. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given) ? given : randomUUID();
}

const QUIET = new Set(['/healthz', '/readyz', '/metrics']);

export function logRequests(server: FastifyInstance, log: Logger): void {
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    if (!QUIET.has(route) && log.isLevelEnabled('info')) {
      const line = { requestId: request.id, method: request.method, route, status: reply.statusCode };
      log.info({ ...line, ms: Math.round(reply.elapsedTime * 10) / 10 }, 'request');
    }
    done();
  });
}
