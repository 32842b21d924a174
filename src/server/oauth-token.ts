// POST /oauth/token: SMART Backend Services. Answers in OAuth's own error format.
// https://hl7.org/fhir/smart-app-launch/backend-services.html and https://www.rfc-editor.org/rfc/rfc6749#section-5
import type { FastifyInstance } from 'fastify';
import type { Access } from '../access/access.ts';
import { OAuthError } from '../access/client-assertion.ts';
import type { FailedAttempts } from '../access/failed-attempts.ts';
import { Fault } from '../fault.ts';
import type { Store } from '../store/store.ts';
import { addressOf, networkOf } from './address.ts';
import { unknownActor } from './audit.ts';
import { acceptForm, FormBody } from './json-body.ts';

import { TOKEN_PATH } from './well-known.ts';

export async function serveToken(
  server: FastifyInstance,
  access: Access,
  store: Store,
  attempts?: FailedAttempts,
): Promise<void> {
  await server.register(async (scope) => {
    acceptForm(scope);
    scope.post(TOKEN_PATH, { config: { open: true } }, async (request, reply) => {
      reply.header('cache-control', 'no-store').header('pragma', 'no-cache');
      const form = request.body instanceof FormBody ? Object.fromEntries(request.body.pairs) : {};
      const login = { interaction: 'login', action: 'E' } as const;
      const trier = { address: networkOf(request) };
      try {
        attempts?.check('client', trier);
        const { client, response } = await access.tokenEndpoint(form);
        const actor = {
          reference: client.clientId,
          kind: 'client',
          requestId: request.id,
          address: addressOf(request),
        } as const;
        store.audit({ ...login, actor, status: 200 });
        return await reply.send(response);
      } catch (error) {
        if (error instanceof Fault && error.kind === 'throttled') {
          return await reply
            .code(error.status)
            .header('retry-after', String(error.context?.retryAfterSeconds))
            .send({ error: 'temporarily_unavailable', error_description: error.message });
        }
        if (!(error instanceof OAuthError)) throw error;
        if (error.code === 'invalid_client') attempts?.failed('client', trier);
        const status = error.code === 'invalid_client' ? 401 : 400;
        store.audit({ ...login, actor: unknownActor(request), status });
        return await reply.code(status).send({ error: error.code, error_description: error.message });
      }
    });
  });
}
