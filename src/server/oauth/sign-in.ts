// The answer to the sign-in page.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { UNKNOWN_ACTOR } from '../../access/grant.ts';
import { finish, formOf, type OpenInteraction, send } from './interaction.ts';
import { loginPage } from './pages.ts';
import type { OauthParts } from './parts.ts';

export async function answerLogin(
  parts: OauthParts,
  { interaction, frame }: OpenInteraction,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { username = '', password = '' } = formOf(request);
  const account = await parts.server.accounts.verify(username, password);
  recordLogin(parts, request, account?.fhirUser, account ? 200 : 401);
  if (!account) return send(reply.code(401), loginPage(frame, true));
  const { session } = interaction;
  if (session?.uid !== undefined && session.accountId !== undefined && session.accountId !== account.id) {
    // Somebody else was signed in with this browser; that ends here.
    await parts.server.state.removeByUid('Session', session.uid);
    interaction.session = undefined;
    await interaction.persist();
  }
  return finish(parts, request, reply, { login: { accountId: account.id, remember: false, amr: ['pwd'] } });
}

/** @param fhirUser undefined when it is not known who tried */
export function recordLogin(
  { store }: OauthParts,
  request: FastifyRequest,
  fhirUser: string | undefined,
  status: number,
): void {
  const who = fhirUser === undefined ? UNKNOWN_ACTOR : ({ reference: fhirUser, kind: 'user' } as const);
  const actor = { ...who, requestId: request.id, address: request.ip };
  store.audit({ actor, interaction: 'login', action: 'E', status });
}
