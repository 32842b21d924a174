// All of access for one Baton: people with their roles, consents, the authorization server, and the door that lets requests in.
import type { LabelPolicy } from '../fhir/consent/label-policy.ts';
import type { Store } from '../store/store.ts';
import { type Access, type AccessOptions, createAccess } from './access.ts';
import { createAskers } from './asker.ts';
import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  createAuthorizationServer,
} from './oauth/authorization-server.ts';
import type { ExpandedRole } from './role.ts';
import { createStandings } from './standing.ts';
import { createVisiblePatients } from './visible-patients.ts';

type Own = 'standingOf' | 'askers' | 'resolveOwn' | 'lasting' | 'visiblePatients' | 'store';

export interface AccessControlOptions
  extends Omit<AccessOptions, Own>,
    Omit<AuthorizationServerOptions, Own | keyof AccessOptions> {
  readonly store: Store;
  readonly roles: readonly ExpandedRole[];
  readonly labelPolicy: LabelPolicy;
}

export interface AccessControl {
  readonly access: Access;
  readonly authorization: AuthorizationServer;
}

export function createAccessControl(options: AccessControlOptions): AccessControl {
  const { store, roles, labelPolicy, clock } = options;
  const standingOf = createStandings({ store, roles, clock });
  const askers = createAskers({ store, policy: labelPolicy, clock });
  const visiblePatients = createVisiblePatients({ ...options, standingOf, askers });
  const authorization = createAuthorizationServer({ ...options, visiblePatients });
  const { resolveOwn } = authorization;
  return {
    authorization,
    access: createAccess({ ...options, resolveOwn, standingOf, askers, lasting: authorization }),
  };
}
