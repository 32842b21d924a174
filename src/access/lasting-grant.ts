// What is kept of a grant that goes on without its token, as a Subscription's does: enough to decide later what the same
// client or person may read then. Nothing in it opens a door by itself.
import type { Grant } from './grant.ts';
import type { Level, Permission, Scopes } from './scopes.ts';

export interface LastingGrant {
  /** Absent: Baton's own authorization server, or none when access is off. */
  readonly issuer?: string;
  readonly actor: Pick<Grant['actor'], 'reference' | 'kind' | 'client' | 'purposes'>;
  readonly client?: string;
  readonly patient?: string;
  readonly encounter?: string;
  /** What a person allowed an application, as `Grant.authorization`. */
  readonly authorization?: string;
  /** The client was registered here, and has to stay so. */
  readonly isRegistered: boolean;
  readonly scopes: readonly KeptScope[];
  readonly doors: readonly string[];
}

interface KeptScope {
  readonly level: Level;
  readonly type: string;
  readonly permissions: readonly Permission[];
  readonly constraint: readonly (readonly [string, string])[];
}

/** @param own `iss` of Baton's own tokens */
export function keepGrant(grant: Grant, own: string, isRegistered: boolean): LastingGrant {
  const { actor, issuer, client, patient, encounter, authorization, scopes } = grant;
  const { reference, kind, client: through, purposes } = actor;
  return {
    ...(issuer === undefined || issuer === own ? {} : { issuer }),
    actor: { reference, kind, ...(through ? { client: through } : {}), ...(purposes ? { purposes } : {}) },
    ...(client === undefined ? {} : { client }),
    ...(patient === undefined ? {} : { patient }),
    ...(encounter === undefined ? {} : { encounter }),
    ...(authorization === undefined ? {} : { authorization }),
    isRegistered,
    scopes: scopes.resources.map((scope) => ({ ...scope, permissions: [...scope.permissions] })),
    doors: [...scopes.doors],
  };
}

export function scopesOf({ scopes, doors }: LastingGrant): Scopes {
  return {
    resources: scopes.map((scope) => ({ ...scope, permissions: new Set(scope.permissions) })),
    doors: new Set(doors as Iterable<Scopes['doors'] extends ReadonlySet<infer D> ? D : never>),
  };
}

/** The grant as far as it was kept; where the person stands and whom consents bind is asked anew. */
export function grantKept(kept: LastingGrant, own: string): Grant {
  const { actor, issuer = own, client, patient, encounter } = kept;
  return {
    actor,
    issuer,
    scopes: scopesOf(kept),
    ...(client === undefined ? {} : { client }),
    ...(patient === undefined ? {} : { patient }),
    ...(encounter === undefined ? {} : { encounter }),
  };
}
