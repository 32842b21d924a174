// Everything under /oauth: the library's endpoints, the pages of a sign-in, and EHR launches.
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ENDPOINTS } from '../../access/oauth/provider.ts';
import { acceptForm, FormBody } from '../json-body.ts';
import { admit } from './client-attempts.ts';
import { handOver } from './hand-over.ts';
import { send } from './interaction.ts';
import { serveInteractions } from './interaction-routes.ts';
import { serveLaunch } from './launch-route.ts';
import { errorPage } from './pages.ts';
import type { OauthParts } from './parts.ts';
import { serveToken } from './token-route.ts';

/** What comes back in the address must fit into the head of a request. */
const MAX_QUERY = 8 * 1024;
const OPEN = { config: { open: true }, exposeHeadRoute: false } as const;

export async function serveOauth(app: FastifyInstance, parts: OauthParts): Promise<void> {
  const { server, baseUrl } = parts;
  const to = (wants: 'page' | 'json') => (request: FastifyRequest, reply: FastifyReply) =>
    handOver(server.running(), request, reply, baseUrl(), wants);

  await app.register(async (scope) => {
    // The library reads bodies itself.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    scope.get(ENDPOINTS.authorize, OPEN, to('page'));
    scope.get(`${ENDPOINTS.authorize}/:uid`, OPEN, to('page'));
    scope.get(ENDPOINTS.logout, OPEN, to('page'));
    scope.get(`${ENDPOINTS.logout}/success`, OPEN, to('page'));
    scope.post(`${ENDPOINTS.logout}/confirm`, OPEN, to('page'));
    for (const path of [ENDPOINTS.introspect, ENDPOINTS.revoke]) {
      scope.post(path, OPEN, async (request, reply) =>
        admit(parts, request, reply) ? to('json')(request, reply) : reply,
      );
    }
  });
  await app.register(async (scope) => {
    acceptForm(scope);
    scope.setErrorHandler((error: FastifyError, _request, reply) => {
      if (error.statusCode !== undefined && error.statusCode >= 500) throw error;
      return send(reply.code(error.statusCode ?? 400), errorPage('The request is too large, or it is no form.'));
    });
    // authorize-post: the browser comes back with GET, and with its cookies, which a POST from elsewhere would not carry.
    scope.post(ENDPOINTS.authorize, { ...OPEN, bodyLimit: MAX_QUERY }, async (request, reply) => {
      const pairs = request.body instanceof FormBody ? request.body.pairs : [];
      const query = new URLSearchParams(pairs.map(([name, value]) => [name, value]));
      return reply.header('cache-control', 'no-store').redirect(`${baseUrl()}${ENDPOINTS.authorize}?${query}`, 303);
    });
  });
  await serveToken(app, parts);
  await serveInteractions(app, parts);
  await serveLaunch(app, parts);
}
