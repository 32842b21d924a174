// What SMART adds to the library's answers, and the line that each of them leaves in the audit trail. No line and no log
// entry has a code, a token or a secret in it.
import type { EventEmitter } from 'node:events';
import type { KoaContextWithOIDC, Provider as Library } from 'oidc-provider';
import type { Logger } from 'pino';
import { Fault, traceOf } from '../../fault.ts';
import type { Actor, AuditRecord } from '../../store/store.ts';
import { UNKNOWN_ACTOR } from '../grant.ts';
import { originOf } from './request-origin.ts';
import { type Contexts, responseMembers } from './smart-context.ts';
import type { SignedIn } from './smart-rules.ts';

/** The library's route names, and what the trail calls them. */
const AUDITED: Readonly<Record<string, string>> = {
  token: 'token',
  introspection: 'introspect',
  revocation: 'revoke',
  end_session_confirm: 'logout',
};

const ALLOW_ORIGIN = 'access-control-allow-origin';

type Next = () => Promise<unknown>;

export interface AnswerOptions {
  readonly contexts: Contexts;
  readonly audit: (record: AuditRecord) => void;
  readonly log: Logger;
}

/** Hooks into the library; call it once per provider. */
export function completeAnswers(provider: Library, { contexts, audit, log }: AnswerOptions): void {
  provider.use(async (ctx: KoaContextWithOIDC, next: Next) => {
    const isAllowed = ctx.res.hasHeader(ALLOW_ORIGIN);
    await next();
    // Baton's own rules say which origins may read; the library would let every one.
    if (!isAllowed) for (const name of [ALLOW_ORIGIN, 'access-control-expose-headers']) ctx.remove(name);
    const { oidc } = ctx;
    if (!oidc?.route) return;
    if (oidc.route === 'token') await completeToken(ctx, contexts);
    if (oidc.route === 'introspection') completeIntrospection(ctx);
    const interaction = AUDITED[oidc.route];
    if (interaction) audit({ actor: actorOf(ctx), interaction, action: 'E', status: ctx.status });
  });
  // Redirects and pages alike: the status of a refusal is that of its error.
  provider.on('authorization.error', (ctx, error) => {
    const status = (error as { statusCode?: number }).statusCode ?? 400;
    audit({ actor: actorOf(ctx), interaction: 'authorize', action: 'E', status });
  });
  provider.on('authorization.success', (ctx) => {
    audit({ actor: actorOf(ctx), interaction: 'authorize', action: 'E', status: 200 });
  });
  provider.on('server_error', (ctx, error) => {
    log.error({ ...originOf(ctx.req), ...traceOf(error) }, 'authorization failed');
    // A database that is away comes back; redirects to the application stay redirects.
    if (error instanceof Fault && error.kind === 'unavailable' && ctx.oidc.route in AUDITED) {
      ctx.status = error.status;
      ctx.set('retry-after', '1');
    }
  });
  // Koa would print to standard error.
  (provider as EventEmitter).on('error', (error: Error) => log.error({ error: error.name }, 'authorization failed'));
}

/** Standard members plus the launch context. */
async function completeToken(ctx: KoaContextWithOIDC, contexts: Contexts): Promise<void> {
  const body = ctx.body as Record<string, unknown>;
  if (ctx.status === 200) {
    const { AccessToken: token } = ctx.oidc.entities;
    ctx.body = { ...body, ...responseMembers(await contexts.of(token?.grantId)) };
  }
  const better = BETTER_ERRORS[String(body?.error_description)];
  if (body?.error !== 'invalid_request' || !better) return;
  ctx.body = better.body;
  ctx.status = better.status;
}

/** Where the library says invalid_request and the standards have a better word. */
const BETTER_ERRORS: Readonly<Record<string, { readonly status: number; readonly body: object }>> = {
  // A malformed assertion is a failed proof: https://www.rfc-editor.org/rfc/rfc7521#section-4.2.1
  'invalid client_assertion format': {
    status: 401,
    body: { error: 'invalid_client', error_description: 'client authentication failed' },
  },
  // https://www.rfc-editor.org/rfc/rfc6749#section-5.2
  'requested grant type is not allowed for this client': {
    status: 400,
    body: { error: 'unauthorized_client', error_description: 'the client may not use this grant type' },
  },
};

/** A service is its own subject. */
function completeIntrospection(ctx: KoaContextWithOIDC): void {
  const body = ctx.body as Record<string, unknown>;
  if (ctx.status === 200 && body.active === true) ctx.body = { sub: body.client_id, ...body };
}

function actorOf(ctx: KoaContextWithOIDC): Actor {
  const { oidc } = ctx;
  const origin = originOf(ctx.req);
  const client = oidc?.client?.clientId;
  const isProven = (ctx.body as { error?: string } | undefined)?.error !== 'invalid_client';
  const user = (oidc?.account as SignedIn | undefined)?.fhirUser;
  if (user !== undefined) return { reference: user, kind: 'user', ...(client ? { client } : {}), ...origin };
  return client !== undefined && isProven
    ? { reference: client, kind: 'client', ...origin }
    : { ...UNKNOWN_ACTOR, ...origin };
}
