// SMART's own rules on top of OAuth: the audience, the scopes, the launch, and the context that a grant is about.
// https://hl7.org/fhir/smart-app-launch/app-launch.html
import type { KoaContextWithOIDC, Provider as Library, Account as LibraryAccount } from 'oidc-provider';
import { type Flow, firstRefused, LIBRARY_SCOPES, needsPatient, wordsOf } from './asked-scopes.ts';
import type { Launches } from './launches.ts';
import { errors } from './library.ts';
import type { PatientDirectory } from './patient-directory.ts';
import type { Contexts, SmartContext } from './smart-context.ts';

/** What `findAccount` gives the library. */
export interface SignedIn extends LibraryAccount {
  readonly fhirUser: string;
}

export interface SmartRulesOptions {
  /** FHIR base URL: the only audience of this server's tokens. */
  readonly fhirBase: string;
  readonly launches: Launches;
  readonly contexts: Contexts;
  readonly directory: PatientDirectory;
  /** Seconds of the epoch at which a grant that is made now ends. */
  readonly grantEnd: () => number;
}

/** What the context of a request follows from. */
export interface Question {
  /** Of an EHR launch. */
  readonly ticket: string | undefined;
  readonly scope: readonly string[];
  /** What the person has picked so far. */
  readonly chosen: SmartContext | undefined;
  readonly fhirUser: string;
}

/** Only after sign-in. */
export function questionOf(ctx: KoaContextWithOIDC): Question {
  const { params, result, account } = ctx.oidc;
  const ticket = params?.launch === undefined ? undefined : String(params.launch);
  const chosen = result?.context as SmartContext | undefined;
  return { ticket, scope: scopesOf(ctx), chosen, fhirUser: (account as SignedIn).fhirUser };
}

export const scopesOf = (ctx: KoaContextWithOIDC): string[] => wordsOf(String(ctx.oidc.params?.scope ?? ''));

export function createSmartRules({ fhirBase, launches, contexts, directory, grantEnd }: SmartRulesOptions) {
  /** @throws InvalidRequest */
  function checkAudience(given: string | undefined): void {
    if (given?.replace(/\/$/, '') === fhirBase) return;
    throw new errors.InvalidRequest(`aud must be ${fhirBase}`);
  }

  /** Uses the ticket of an EHR launch up. @throws InvalidRequest */
  async function takeLaunch(ticket: string | undefined, clientId: string): Promise<void> {
    if (ticket === undefined || (await launches.take(ticket, clientId))) return;
    throw new errors.InvalidRequest('the launch is unknown, expired, used already, or for another application');
  }

  /**
   * The scopes that the request may have of the FHIR server: all it asks for.
   * @throws InvalidTarget, InvalidScope
   */
  function grantableScope(ctx: KoaContextWithOIDC, resource: string): string {
    if (resource !== fhirBase) throw new errors.InvalidTarget();
    const { oidc } = ctx;
    if (oidc.route === 'token' && oidc.params?.grant_type !== 'client_credentials') return scopeHeld(ctx);
    const asked = wordsOf(askedScope(ctx));
    const flow: Flow = oidc.route === 'token' ? 'client_credentials' : 'authorization_code';
    if (asked.length === 0) throw new errors.InvalidScope('scope is needed', '');
    const refused = firstRefused(asked.join(' '), registeredScope(ctx), flow);
    if (refused !== undefined) {
      throw new errors.InvalidScope('the client is not registered for this scope, or it is not known', refused);
    }
    if (oidc.params) oidc.params.scope = asked.join(' ');
    return asked.join(' ');
  }

  /**
   * What the request is about, as far as it is known; undefined while a person has to choose.
   * @throws InvalidRequest, AccessDenied
   */
  async function contextOf({ ticket, scope, chosen, fhirUser }: Question): Promise<SmartContext | undefined> {
    const launch = ticket === undefined ? undefined : await launches.taken(ticket);
    if (launch?.user !== undefined && launch.user !== fhirUser) {
      throw new errors.InvalidRequest('the launch was made by another user');
    }
    const known = { ...chosen, ...launch?.context };
    const isOpen = known.patient === undefined && needsPatient(scope);
    const only = isOpen && !scope.includes('launch/encounter') ? await directory.onlyPatientOf(fhirUser) : undefined;
    if (isOpen && only === undefined) return undefined;
    const context = only === undefined ? known : { ...known, patient: only };
    if (context.patient !== undefined && !(await directory.mayOpen(fhirUser, context.patient))) {
      throw new errors.AccessDenied('the user may not open this patient');
    }
    return context;
  }

  /** Grants everything that was asked for. @returns the grant's id */
  async function grantAll(
    provider: Library,
    asked: { accountId: string; clientId: string; scope: readonly string[]; context: SmartContext },
  ): Promise<string> {
    const grant = new provider.Grant({ accountId: asked.accountId, clientId: asked.clientId });
    grant.addOIDCScope(asked.scope.filter((word) => LIBRARY_SCOPES.includes(word)).join(' '));
    grant.addResourceScope(fhirBase, asked.scope.join(' '));
    const id = await grant.save();
    await contexts.keep(id, asked.context, grantEnd());
    return id;
  }

  return { checkAudience, takeLaunch, grantableScope, contextOf, grantAll };
}

export type SmartRules = ReturnType<typeof createSmartRules>;

const registeredScope = (ctx: KoaContextWithOIDC) => String(ctx.oidc.client?.registeredScope ?? '');

/** The library drops offline_access unless the application sends prompt=consent, which SMART ones never do. */
function askedScope(ctx: KoaContextWithOIDC): string {
  const given = ctx.oidc.route === 'authorization' ? ctx.query.scope : ctx.oidc.params?.scope;
  return typeof given === 'string' ? given : '';
}

/** What the code or refresh token carries, less what the client has meanwhile lost. */
function scopeHeld(ctx: KoaContextWithOIDC): string {
  const { AuthorizationCode: code, RefreshToken: token } = ctx.oidc.entities;
  const words = wordsOf(token?.scope ?? code?.scope ?? '');
  const registered = registeredScope(ctx);
  return words.filter((word) => firstRefused(word, registered, 'authorization_code') === undefined).join(' ');
}
