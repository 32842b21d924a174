// Asking whether the application may, and granting what was allowed.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errors } from '../../access/oauth/library.ts';
import { accountOf, finish, type OpenInteraction, questionFor, send, signedInActor } from './interaction.ts';
import { consentPage } from './pages.ts';
import type { OauthParts } from './parts.ts';

export async function showConsent(
  parts: OauthParts,
  open: OpenInteraction,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const account = await accountOf(parts, open);
  const context = await parts.server.running().rules.contextOf(questionFor(open, account.fhirUser));
  const patient = context?.patient === undefined ? undefined : await parts.server.directory.describe(context.patient);
  return send(reply, consentPage(open.frame, account.username ?? account.fhirUser, open.scope, patient?.name));
}

export async function answerConsent(
  parts: OauthParts,
  open: OpenInteraction,
  { decision }: Readonly<Record<string, string | undefined>>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { rules, provider } = parts.server.running();
  const { client, scope } = open;
  const account = await accountOf(parts, open);
  const allowed = decision === 'allow';
  const actor = signedInActor(request, account.fhirUser, client.clientId);
  parts.store.audit({ actor, interaction: 'consent', action: 'E', status: allowed ? 200 : 403 });
  if (!allowed) {
    return finish(parts, request, reply, { error: 'access_denied', error_description: 'the user did not allow it' });
  }
  const context = await rules.contextOf(questionFor(open, account.fhirUser));
  if (context === undefined) throw new errors.SessionNotFound('');
  const asked = { accountId: account.id, clientId: client.clientId, scope, context };
  return finish(parts, request, reply, { consent: { grantId: await rules.grantAll(provider, asked) } });
}
