// Who is asking and what their token lets them do: the result of authentication, before any decision.
import type { Asker } from '../fhir/consent/asker.ts';
import type { Actor } from '../store/store.ts';
import { FULL_SCOPE, parseScopes, type Scopes } from './scopes.ts';
import type { Standing } from './standing.ts';

export interface Grant {
  readonly actor: Actor;
  readonly scopes: Scopes;
  /** `iss` of the token: client ids mean something only together with it. */
  readonly issuer?: string;
  /** Id of the application, also when a person uses it. */
  readonly client?: string;
  /** Id of the patient in context, for `patient/` scopes. */
  readonly patient?: string;
  /** Id of the encounter in context. */
  readonly encounter?: string;
  /** Hash of what a person allowed the application, of tokens of Baton's own authorization server. */
  readonly authorization?: string;
  /** Where the person stands who asks. A person without one may do nothing. */
  readonly standing?: Standing;
  /** In whose name consents are asked. Absent: nothing is withheld from anybody, or consents do not bind who asks. */
  readonly asker?: Asker;
}

/** Everybody's grant when BATON_AUTH is off, which the configuration allows on loopback only. */
export const ANONYMOUS: Grant = {
  actor: { reference: 'anonymous', kind: 'client' },
  scopes: parseScopes(FULL_SCOPE),
};

/** The actor of a request that no grant could be found for, in the audit trail. */
export const UNKNOWN_ACTOR: Actor = { reference: 'unknown', kind: 'client' };
