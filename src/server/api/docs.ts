// The OpenAPI document and a page to browse it, both without a token: they tell of the API, not of patients.
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import type { OpenApi } from './open-api.ts';

/** The page runs its own scripts and asks this server; its styles are written by its scripts. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** @param document asked each time, because the base URL is known late */
export async function serveDocs(server: FastifyInstance, document: () => OpenApi): Promise<void> {
  server.get('/openapi.json', { config: { open: true } }, async (_request, reply) =>
    reply
      .header('cache-control', 'no-cache')
      .header('content-type', 'application/json; charset=utf-8')
      .send(document()),
  );
  await server.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, open: true };
    });
    await scope.register(swagger, { mode: 'static', specification: { document: {} as never } });
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: POLICY,
      transformSpecification: () => document() as never,
      logo: null as never,
      uiConfig: { docExpansion: 'none', tryItOutEnabled: false },
    });
  });
}
