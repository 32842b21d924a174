// The answer to the sign-in page.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Trier } from '../../access/failed-attempts.ts';
import { UNKNOWN_ACTOR } from '../../access/grant.ts';
import { Fault } from '../../fault.ts';
import { networkOf, originOf } from '../address.ts';
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
  const trier = { address: networkOf(request), account: username };
  const wait = secondsToWait(parts, trier);
  if (wait !== undefined) {
    // That somebody asks too often is recorded for every route alike.
    return send(reply.code(429).header('retry-after', String(wait)), loginPage(frame, waitSentence(wait)));
  }
  const account = await parts.server.accounts.verify(username, password);
  if (account) parts.attempts?.succeeded('login', trier);
  recordLogin(parts, request, account?.fhirUser, account ? 200 : 401);
  if (!account) return send(reply.code(401), loginPage(frame, WRONG));
  const { session } = interaction;
  if (session?.uid !== undefined && session.accountId !== undefined && session.accountId !== account.id) {
    // Somebody else was signed in with this browser; that ends here.
    await parts.server.state.removeByUid('Session', session.uid);
    interaction.session = undefined;
    await interaction.persist();
  }
  return finish(parts, request, reply, { login: { accountId: account.id, remember: false, amr: ['pwd'] } });
}

const WRONG = 'That did not work. Check the user name and the password.';

const waitSentence = (seconds: number) => `Too many attempts. Wait ${seconds} seconds, then try again.`;

/** Undefined when the attempt may be made; it counts as failed until it has succeeded. */
function secondsToWait({ attempts }: OauthParts, trier: Trier): number | undefined {
  try {
    attempts?.check('login', trier);
    return undefined;
  } catch (error) {
    if (!(error instanceof Fault) || error.kind !== 'throttled') throw error;
    return Number(error.context?.retryAfterSeconds ?? 1);
  }
}

/** @param fhirUser undefined when it is not known who tried */
export function recordLogin(
  { store }: OauthParts,
  request: FastifyRequest,
  fhirUser: string | undefined,
  status: number,
): void {
  const who = fhirUser === undefined ? UNKNOWN_ACTOR : ({ reference: fhirUser, kind: 'user' } as const);
  const actor = { ...who, ...originOf(request) };
  store.audit({ actor, interaction: 'login', action: 'E', status });
}
