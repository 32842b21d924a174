// Ends the work on a claim whose projection is on the remote: its row, the identity, the Provenance that links the version
// here to the resource there, and whoever has to look again, in one commit. docs/sync-spec.md#I31
import type { Provenance } from '@medplum/fhirtypes';
import type { Change } from '../../fhir/change.ts';
import { parseLiteral } from '../../fhir/references.ts';
import type { Statement } from '../../store/store.ts';
import { pushes } from '../connections/settings.ts';
import { type RunContext, realNow } from '../context.ts';
import { type Link, replaceLink, saveLink } from '../identity.ts';
import { type Claim, mark } from '../push/outbox.ts';
import { type Ending, end, type PushResult } from '../push/settle-push.ts';
import { keyOf } from './projection-name.ts';
import { type Projection, readParts, saveParts, saveProjection } from './projection-row.ts';

/** In place of a content hash: what was sent says that the rest does not hold any more. */
export const WITHDRAWAL = 'withdrawal';

/** What has no document of its own while a plan's document shows it. */
const CARRIED = new Set(['Goal', 'Task']);

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
    ...(how.parts ? await lookingAt(context, claim, how.parts) : []),
    ...(how.statements ?? []),
  ];
  // A withdrawal carries no version; the message log has it.
  const isCarried = state !== 'withdrawn' || one.contentHash !== WITHDRAWAL;
  const changes =
    isCarried && (how.operation || how.outcome === 'adopted') ? [provenanceOf(context, settled, one.remoteId)] : [];
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

/**
 * Remembers what a document looks at. Goals and tasks that it begins or ceases to carry are looked at again: they lose the
 * document of their own, or need one.
 */
export async function lookingAt(context: RunContext, claim: Claim, parts: readonly string[]): Promise<Statement[]> {
  const source = { type: claim.type, id: claim.localId };
  const before = await readParts(context.store, claim.connection, source);
  const carried = source.type === 'CarePlan' ? [...new Set(before).symmetricDifference(new Set(parts))] : [];
  const marks = carried.flatMap((part) => {
    const { type, id } = parseLiteral(part) ?? { type: '', id: '' };
    const isOurs = CARRIED.has(type) && pushes(context.connection, type);
    return isOurs ? [mark(claim.connection, type, id, claim.sequence, realNow(context))] : [];
  });
  return [...saveParts(claim.connection, source, parts), ...marks];
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
