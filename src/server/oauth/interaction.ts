// One sign-in in progress: which application asks for what, on whose behalf, and how the step under way ends.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { InteractionResults, Provider as Library } from 'oidc-provider';
import type { Account } from '../../access/oauth/accounts.ts';
import { wordsOf } from '../../access/oauth/asked-scopes.ts';
import { errors } from '../../access/oauth/library.ts';
import { ENDPOINTS } from '../../access/oauth/provider.ts';
import type { Registration } from '../../access/oauth/registration.ts';
import type { SmartContext } from '../../access/oauth/smart-context.ts';
import type { Question } from '../../access/oauth/smart-rules.ts';
import type { Actor } from '../../store/store.ts';
import { originOf } from '../address.ts';
import { FormBody } from '../json-body.ts';
import { asSeenByClient } from './hand-over.ts';
import type { Page } from './page.ts';
import type { Frame } from './pages.ts';
import type { OauthParts } from './parts.ts';

type Interaction = Awaited<ReturnType<Library['interactionDetails']>>;

export interface OpenInteraction {
  readonly interaction: Interaction;
  readonly client: Registration;
  readonly frame: Frame;
  readonly scope: readonly string[];
}

/**
 * @param step the step that the request answers
 * @throws SessionNotFound when the browser is not in this sign-in, or the sign-in is not at this step
 */
export async function openInteraction(
  { server, baseUrl }: OauthParts,
  request: FastifyRequest,
  reply: FastifyReply,
  step?: string,
): Promise<OpenInteraction> {
  asSeenByClient(request, baseUrl());
  const interaction = await server.running().provider.interactionDetails(request.raw, reply.raw);
  const { uid } = request.params as { uid: string };
  const isHere = interaction.uid === uid && (step === undefined || interaction.prompt.name === step);
  const client = await server.clients.find(String(interaction.params.client_id));
  if (!isHere || !client) throw new errors.SessionNotFound('');
  const target = new URL(String(interaction.params.redirect_uri)).origin;
  const action = `${baseUrl()}${ENDPOINTS.interaction}/${uid}`;
  const frame = { action, application: client.name, formTargets: [new URL(baseUrl()).origin, target] };
  return { interaction, client, frame, scope: wordsOf(String(interaction.params.scope ?? '')) };
}

/** The signed-in person. @throws SessionNotFound */
export async function accountOf({ server }: OauthParts, { interaction }: OpenInteraction): Promise<Account> {
  const id = interaction.session?.accountId;
  const account = id === undefined ? undefined : await server.accounts.find(id);
  if (!account || account.disabled) throw new errors.SessionNotFound('');
  return account;
}

/** What decides the context of the request. */
export function questionFor({ interaction, scope }: OpenInteraction, fhirUser: string): Question {
  const { launch } = interaction.params;
  const chosen = interaction.lastSubmission?.context as SmartContext | undefined;
  return { ticket: launch === undefined ? undefined : String(launch), scope, chosen, fhirUser };
}

/** Ends the step; what follows is the library's to decide. */
export async function finish(
  { server }: OauthParts,
  request: FastifyRequest,
  reply: FastifyReply,
  result: InteractionResults,
): Promise<FastifyReply> {
  const next = await server.running().provider.interactionResult(request.raw, reply.raw, result);
  return reply.header('cache-control', 'no-store').redirect(next, 303);
}

export function send(reply: FastifyReply, { text, headers }: Page): FastifyReply {
  return reply.headers(headers).send(text);
}

/** The fields of a form; the last one counts when there are several of one name. */
export function formOf(request: FastifyRequest): Readonly<Record<string, string | undefined>> {
  return request.body instanceof FormBody ? Object.fromEntries(request.body.pairs) : {};
}

/** Who does something on one of the pages, for the audit trail. */
export function signedInActor(request: FastifyRequest, fhirUser: string, client: string): Actor {
  return { reference: fhirUser, kind: 'user', client, ...originOf(request) };
}
