// Where applied content came from: one Provenance per commit of sync. https://hl7.org/fhir/R4/provenance.html
import type { Provenance } from '@medplum/fhirtypes';
import type { Change } from '../fhir/change.ts';
import type { RunContext } from './context.ts';

/** A local resource and the remote version that went into it. */
export interface Applied {
  readonly type: string;
  readonly localId: string;
  readonly remoteId: string;
  readonly remoteVersion: string | undefined;
}

/** @param applied at least one; targets and entities stand in the same order */
export function provenanceOf(context: RunContext, applied: readonly Applied[]): Change {
  const { remote, connection, clock } = context;
  const resource: Provenance = {
    resourceType: 'Provenance',
    target: applied.map(({ type, localId }) => ({ reference: `${type}/${localId}` })),
    recorded: clock.now().toString({ smallestUnit: 'millisecond' }),
    agent: [{ who: { identifier: { value: 'baton-sync' }, display: `Baton sync, connection ${connection.name}` } }],
    entity: applied.map(({ type, remoteId, remoteVersion }) => ({
      role: 'source',
      what: { reference: `${remote.baseUrl}/${type}/${remoteId}${remoteVersion ? `/_history/${remoteVersion}` : ''}` },
    })),
  };
  return { op: 'create', resource };
}
