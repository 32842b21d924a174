// What a push of one resource would do now: the body that would be sent, what it would change there, and which policy decides
// about each element that differs. Reads the remote, writes nothing. docs/sync-spec.md#I22
import { randomUUID } from 'node:crypto';
import { Fault } from '../../fault.ts';
import { sameJson } from '../../fhir/canonical-json.ts';
import { elementDifferences } from '../../fhir/element-diff.ts';
import { saysAbsent, saysNotOffered } from '../../remote/absence.ts';
import type { StoredVersion } from '../../store/store.ts';
import { comparable, jsonOf, parseBody } from '../body.ts';
import { readOpenConflict } from '../conflicts/conflict.ts';
import { explainMerge } from '../conflicts/element-view.ts';
import { reconcile } from '../conflicts/reconcile.ts';
import type { ConnectionRuns } from '../connections/connection.ts';
import { actorOf, pushes } from '../connections/settings.ts';
import { type ConnectionContext, ownExchanges, type RunContext, realNow } from '../context.ts';
import { type Link, readLink, remoteHash } from '../identity.ts';
import { mapsOfCopies, readLetGo } from '../let-go-terms.ts';
import { readLinkMap } from '../link-map.ts';
import { remoteTargets, toLocalTerms } from '../mapping.ts';
import { isTheirPatientAsked, whoIsAsked } from '../patients/asked-first.ts';
import { patientUnknownThere } from '../patients/patient-known.ts';
import { inPresentTerms, namingInUse } from '../present-terms.ts';
import { projectionTarget } from '../projections/projection-target.ts';
import { withholdingOf } from '../push/consent.ts';
import { canPush, type Ref } from '../push/dependencies.ts';
import { goesToHeir } from '../push/hand-over.ts';
import { mergedAway } from '../push/merged-away.ts';
import { createBody } from '../push/push-create.ts';
import { expectedCreate } from '../push/push-match.ts';
import { updateBody, withRelativeReferences } from '../push/push-update.ts';
import { PATIENT_UNKNOWN } from '../push/settle-push.ts';
import { addedIdentifier } from './added-identifier.ts';
import { writeMessage } from './message-log.ts';
import { previewProjected } from './preview-projected.ts';
import { NOTHING, type Preview, type Verdict } from './preview-verdict.ts';

const MERGED = 'Somebody else has taken its place, and goes instead.';

/**
 * Previews with the remote's present copy where it can be asked, and keeps what went over the wire.
 * @param replayOf the message that is looked ahead for
 * @throws Fault not-found when there is no such resource here
 */
export async function lookAhead(
  runs: ConnectionRuns,
  ref: Ref,
  replayOf?: string,
): Promise<{ readonly preview: Preview; readonly runId: string }> {
  const { context, connection } = runs;
  const session = await runs.session();
  const run = session && ownExchanges(session, { type: ref.type, localId: ref.id });
  const preview = await previewPush(context, run, ref);
  const runId = run?.runId ?? randomUUID();
  const about = { connection: connection.name, runId, direction: 'push', type: ref.type, localId: ref.id } as const;
  const message = { ...about, outcome: 'preview', replayOf };
  const rows = run?.exchanges.take().map((exchange) => writeMessage({ ...message, exchange }, realNow(context))) ?? [];
  if (rows.length > 0) await context.store.commit(actorOf(connection, runId), [], rows);
  return { preview, runId };
}

/**
 * @param run undefined when the server may not or cannot be asked
 * @throws Fault not-found when there is no such resource here
 */
async function previewPush(
  context: ConnectionContext,
  run: RunContext | undefined,
  { type, id }: Ref,
): Promise<Preview> {
  const { store, connection } = context;
  const stored = await store.read(type, id);
  if (!stored) throw new Fault('not-found', `There is no ${type}/${id} here.`);
  const link = await readLink(store, connection.name, type, id);
  const open = await readOpenConflict(store, connection.name, type, id);
  return {
    connection: connection.name,
    ref: `${type}/${id}`,
    ...(link ? { remote: `${type}/${link.remoteId}` } : {}),
    ...(open ? { openConflict: open.id } : {}),
    ...(await verdictOf(context, run, stored, link)),
  };
}

async function verdictOf(
  context: ConnectionContext,
  run: RunContext | undefined,
  stored: StoredVersion,
  link: Link | undefined,
): Promise<Verdict> {
  const { connection, policies } = context;
  const { type, id } = stored;
  if (!pushes(connection, type)) return { ...NOTHING, outcome: 'no-direction', detail: `${type} is not pushed there.` };
  const target = run && projectionTarget(run, type, link !== undefined && link.state !== 'tombstone');
  if (stored.operation === 'delete') {
    if (run && target) return previewProjected(run, stored, target, true);
    if (!link || link.state === 'tombstone') return { ...NOTHING, outcome: 'unchanged' };
    const outcome = policies[type]?.delete === 'push' ? 'would-delete' : 'delete-kept-by-policy';
    return { ...NOTHING, outcome };
  }
  const { withheld } = await withholdingOf(context, { type, id });
  const keeps = 'A consent or a security label keeps it from the other side.';
  if (withheld) return { ...NOTHING, outcome: 'withheld', detail: keeps };
  if (run && target) return previewProjected(run, stored, target, true);
  if (link?.state === 'tombstone') return { ...NOTHING, outcome: 'deleted-remotely' };
  if (!link) {
    if (await mergedAway(context, stored)) return { ...NOTHING, outcome: 'unchanged', detail: MERGED };
    if (run && !canPush(run, type)) return { ...NOTHING, outcome: 'no-capability' };
    const asked = await whoIsAsked(context, stored);
    if (asked) return wouldAsk(asked);
    const isUnknown = (await patientUnknownThere(context, stored)) !== undefined;
    if (isUnknown) return { ...NOTHING, outcome: 'would-wait', detail: PATIENT_UNKNOWN };
    const body = await createBody(context, stored);
    const differences = elementDifferences([undefined, comparable(body)]);
    return { ...NOTHING, ...expectedCreate(context, type), body, differences };
  }
  if (await goesToHeir(context, stored, link)) return { ...NOTHING, outcome: 'unchanged', detail: MERGED };
  return run && !run.capability.supports(type, 'update')
    ? { ...NOTHING, outcome: 'no-capability' }
    : previewUpdate(context, run, stored, link);
}

function wouldAsk(whom: 'it' | 'its patient'): Verdict {
  return { ...NOTHING, outcome: 'would-wait', detail: `Who ${whom} is on the server is asked (/ops/matches).` };
}

async function previewUpdate(
  context: ConnectionContext,
  run: RunContext | undefined,
  stored: StoredVersion,
  link: Link,
): Promise<Verdict> {
  const { store, connection, mapping, policies } = context;
  const { type } = stored;
  const reply = await run?.client.read(type, link.remoteId);
  if (reply && !reply.ok && saysNotOffered(reply.failure)) return { ...NOTHING, outcome: 'no-capability' };
  if (reply && !reply.ok && saysAbsent(reply.failure)) {
    return { ...NOTHING, outcome: 'gone-remotely', detail: 'It is not there any more; a push would ask a person.' };
  }
  const read = reply?.ok && reply.value.body ? jsonOf(reply.value.body) : undefined;
  const baseRemote = link.baseRemote ?? { resourceType: type };
  const remote = read ?? baseRemote;
  const targets = [...remoteTargets(mapping, remote), ...remoteTargets(mapping, baseRemote)];
  const links = await readLinkMap(store, connection.name, [], targets);
  const isChanged = remoteHash(remote) !== link.remoteHash;
  if (isChanged && (await isTheirPatientAsked(context, links, remote))) return wouldAsk('its patient');
  const letGo = await readLetGo(context, links, [remote, baseRemote], run?.client);
  const maps = await mapsOfCopies(context, links, link, remote, letGo);
  if (!maps.ok) return { ...NOTHING, outcome: 'would-wait', detail: maps.failure.message };
  const [origin, theirs] = await namingInUse(store, [
    toLocalTerms(mapping, maps.value.base, baseRemote).body,
    toLocalTerms(mapping, maps.value.now, remote).body,
  ] as const);
  const kept = [link.baseLocal ?? origin, comparable(parseBody(stored.content))] as const;
  const [base, ours] = await inPresentTerms(context, kept);
  const policy = policies[type];
  const result = reconcile({ baseLocal: base, baseRemote: origin, local: ours, remote: theirs }, policy ?? {});
  const copies = { base, ours, theirs: result.theirs, proposed: result.merged };
  const body = await updateBody(context, {
    stored: { content: JSON.stringify(result.merged) },
    link: { ...link, baseLocal: result.theirs, baseRemote: remote },
  });
  const there = withRelativeReferences(context, comparable(remote));
  const differences = sameJson(there, comparable(body)) ? [] : elementDifferences([there, comparable(body)]);
  const change = differences.length > 0 ? 'would-update' : result.localChanges ? 'would-merge-here' : 'unchanged';
  const merging = explainMerge(policy, copies, result.conflicts);
  const added = addedIdentifier(differences, mapping.ownSystem);
  return {
    outcome: result.conflicts.length > 0 ? 'would-conflict' : change,
    ...(reply && !reply.ok ? { detail: `The remote was not read: ${reply.failure.message}` } : {}),
    comparedWith: read ? 'remote' : 'last-known',
    body,
    differences,
    elements: [...merging, ...added.filter(({ path }) => !merging.some((one) => one.path === path))],
  };
}
