// Ends the work on a claim whose projection is on the remote: its row, the identity, the Provenance that links the version
// here to the resource there, and whoever has to look again, in one commit. docs/sync-spec.md#I31
import type { Provenance } from '@medplum/fhirtypes';
import type { Change } from '../fhir/change.ts';
import type { Statement } from '../store/store.ts';
import { type RunContext, realNow } from './context.ts';
import { type Link, replaceLink, saveLink } from './identity.ts';
import { type Claim, mark } from './outbox.ts';
import { keyOf } from './projection-name.ts';
import { type Projection, saveParts, saveProjection } from './projection-row.ts';
import { type Ending, end, type PushResult } from './settle-push.ts';

/** In place of a content hash: what was sent says that the rest does not hold any more. */
export const WITHDRAWAL = 'withdrawal';

interface How {
  readonly event: 'done' | 'again';
  readonly outcome: string;
  readonly operation?: 'create' | 'update';
  /** `Type/id` of what it looks at; absent when that was not found out anew. */
  readonly parts?: readonly string[];
  readonly statements?: readonly Statement[];
}

/** @param one with its remote id @param rows all of the source, before */
export async function settleThere(
  context: RunContext,
  claim: Claim,
  one: Projection & { readonly remoteId: string },
  rows: readonly Projection[],
  how: How,
): Promise<PushResult> {
  const now = realNow(context);
  const { connection } = context;
  const state = one.contentHash === WITHDRAWAL ? 'withdrawn' : one.state === 'sending' ? 'current' : one.state;
  const settled: Projection = { ...one, state };
  const others = rows.filter(
    (row) => row.number !== one.number && row.state === 'current' && row.target === one.target,
  );
  const link = linkOf(settled, one.remoteId);
  const statements: Statement[] = [
    saveProjection(settled, now),
    ...others.map((row) => saveProjection({ ...row, state: 'superseded' }, now)),
    ...(others.length > 0 ? [replaceLink(link, now)] : []),
    saveLink(link, now),
    ...(how.parts ? saveParts(connection.name, one.source, how.parts) : []),
    ...(how.parts ? await carriedDocuments(context, claim, how.parts) : []),
    ...(how.statements ?? []),
  ];
  const changes = how.operation || how.outcome === 'adopted' ? [provenanceOf(context, settled, one.remoteId)] : [];
  const ending: Ending = {
    claim,
    settlement: { event: how.event },
    remoteId: one.remoteId,
    outcome: how.outcome,
    changes,
    statements,
    ...(how.operation ? { event: { kind: 'pushed', operation: how.operation } } : {}),
  };
  const written = await end(context, ending);
  return written && how.event === 'done' ? 'done' : 'waiting';
}

/** Goals and tasks that had a document of their own before a plan carried them: they are looked at again. */
async function carriedDocuments(context: RunContext, claim: Claim, parts: readonly string[]): Promise<Statement[]> {
  const { store, connection } = context;
  const sql = `SELECT DISTINCT source_type, source_id FROM projection
    WHERE connection = ? AND target_type = 'DocumentReference' AND state = 'current' AND source_type <> 'CarePlan'
    AND patient = (SELECT patient FROM projection WHERE connection = ? AND source_type = ? AND source_id = ? LIMIT 1)`;
  const rows = await store.query(sql, [connection.name, connection.name, claim.type, claim.localId]);
  const now = realNow(context);
  return rows
    .map(({ source_type, source_id }) => ({ type: String(source_type), id: String(source_id) }))
    .filter((source) => parts.includes(keyOf(source)) && source.type !== claim.type)
    .map(({ type, id }) => mark(connection.name, type, id, claim.sequence, now));
}

function linkOf({ connection, source, target, remoteVersion, version, state }: Projection, remoteId: string): Link {
  return {
    connection,
    type: target,
    localId: keyOf(source),
    remoteId,
    remoteVersion,
    remoteHash: undefined,
    baseVersion: version,
    baseLocal: undefined,
    baseRemote: undefined,
    state: state === 'current' ? 'linked' : 'tombstone',
    how: 'projected',
  };
}

/** Found by `_revinclude=Provenance:target` of the source: which resource over there carries this version. */
function provenanceOf(
  context: RunContext,
  { source, version, target, remoteVersion }: Projection,
  remoteId: string,
): Change {
  const { remote, connection, clock } = context;
  const there = `${remote.baseUrl}/${target}/${remoteId}`;
  const resource: Provenance = {
    resourceType: 'Provenance',
    target: [{ reference: `${source.type}/${source.id}/_history/${version}` }],
    recorded: clock.now().toString({ smallestUnit: 'millisecond' }),
    activity: {
      coding: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle',
          code: 'transmit',
          display: 'Transmit Record Lifecycle Event',
        },
      ],
    },
    agent: [{ who: { identifier: { value: 'baton-sync' }, display: `Baton sync, connection ${connection.name}` } }],
    entity: [
      {
        role: 'derivation',
        what: { reference: remoteVersion ? `${there}/_history/${remoteVersion}` : there, type: target },
      },
    ],
  };
  return { op: 'create', resource };
}
