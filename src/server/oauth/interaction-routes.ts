// The steps of a sign-in: GET shows the page of the step that is due, each form answers one question. A step belongs to the
// browser that began it: its cookie is signed and names this sign-in only, so that no other site can answer for a person.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errors } from '../../access/oauth/library.ts';
import { ENDPOINTS } from '../../access/oauth/provider.ts';
import { asFault, Fault, traceOf } from '../../fault.ts';
import { unknownActor } from '../audit.ts';
import { acceptForm } from '../json-body.ts';
import { answerContext, showContext } from './choose-context.ts';
import { answerConsent, showConsent } from './consent.ts';
import { finish, formOf, openInteraction, send } from './interaction.ts';
import { errorPage, loginPage } from './pages.ts';
import type { OauthParts } from './parts.ts';
import { answerLogin, recordLogin } from './sign-in.ts';

const OPEN = { config: { open: true }, exposeHeadRoute: false, bodyLimit: 16 * 1024 } as const;
const PATH = `${ENDPOINTS.interaction}/:uid`;

export async function serveInteractions(app: FastifyInstance, parts: OauthParts): Promise<void> {
  const { server, baseUrl } = parts;
  await app.register(async (scope) => {
    acceptForm(scope);
    scope.setErrorHandler((error, request, reply) => {
      const [status, sentence] = sentenceOf(error);
      if (status >= 500) request.log.error({ requestId: request.id, ...traceOf(error) }, 'sign-in failed');
      // Whose step it was nobody knows: the cookie that says so is what was wrong.
      const record = { actor: unknownActor(request), interaction: 'authorize', action: 'E', status } as const;
      // Asking too often is recorded for every route alike.
      if (status !== 429) parts.store.audit(record);
      return send(reply.code(status), errorPage(sentence));
    });

    scope.get(PATH, OPEN, async (request, reply) => {
      const open = await openInteraction(parts, request, reply);
      switch (open.interaction.prompt.name) {
        case 'login':
          if (!server.outsideLogin) return send(reply, loginPage(open.frame));
          return reply.redirect(await server.outsideLogin.begin(open.interaction.uid), 303);
        case 'context':
          return showContext(parts, open, reply);
        default:
          return showConsent(parts, open, reply);
      }
    });
    scope.post(`${PATH}/login`, OPEN, async (request, reply) => {
      const open = await openInteraction(parts, request, reply, 'login');
      if (server.outsideLogin) throw new Fault('not-allowed', 'People sign in at the identity provider here.');
      return answerLogin(parts, open, request, reply);
    });
    scope.post(`${PATH}/context`, OPEN, async (request, reply) => {
      const open = await openInteraction(parts, request, reply, 'context');
      return answerContext(parts, open, formOf(request), request, reply);
    });
    scope.post(`${PATH}/consent`, OPEN, async (request, reply) => {
      const open = await openInteraction(parts, request, reply, 'consent');
      return answerConsent(parts, open, formOf(request), request, reply);
    });
    scope.post(`${PATH}/cancel`, OPEN, async (request, reply) => {
      await openInteraction(parts, request, reply);
      const result = { error: 'access_denied', error_description: 'the user cancelled' };
      return finish(parts, request, reply, result);
    });
    // The provider knows one address; the cookie of the sign-in goes to another, one step further.
    scope.get(ENDPOINTS.callback, OPEN, async (request, reply) => {
      const query = new URL(request.url, baseUrl()).searchParams;
      const uid = await server.outsideLogin?.interactionOf(query.get('state') ?? '');
      if (uid === undefined) throw new errors.SessionNotFound('');
      return reply.redirect(`${baseUrl()}${ENDPOINTS.interaction}/${uid}/callback?${query}`, 303);
    });
    scope.get(`${PATH}/callback`, OPEN, async (request, reply) => {
      const open = await openInteraction(parts, request, reply, 'login');
      return answerOutsideLogin(open.interaction.uid, request, reply);
    });
  });

  async function answerOutsideLogin(uid: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const url = new URL(`${baseUrl()}${ENDPOINTS.callback}`);
    url.search = new URL(request.url, baseUrl()).search;
    try {
      const account = await server.outsideLogin?.finish(uid, url);
      if (!account) throw new errors.SessionNotFound('');
      recordLogin(parts, request, account.fhirUser, 200);
      return await finish(parts, request, reply, { login: { accountId: account.id, remember: false } });
    } catch (error) {
      recordLogin(parts, request, undefined, 403);
      throw error;
    }
  }
}

function sentenceOf(error: unknown): [status: number, sentence: string] {
  if (error instanceof errors.SessionNotFound)
    return [400, 'This sign-in has ended, or it belongs to another browser.'];
  if (error instanceof errors.OIDCProviderError) return [error.statusCode, 'The request was refused.'];
  const { statusCode } = error as { statusCode?: number };
  if (!(error instanceof Fault) && statusCode !== undefined && statusCode < 500) {
    return [statusCode, 'The request could not be understood.'];
  }
  const fault = asFault(error);
  return [fault.status, fault.kind === 'fault' ? 'Baton could not go on because of an internal error.' : fault.message];
}
