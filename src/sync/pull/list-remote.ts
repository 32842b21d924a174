// Lists everything of a type that a server has, to find what a stream missed. Ids and versions are enough where the server
// can leave out the rest; only what differs is read whole. docs/sync-spec.md#I21
import type { Bundle } from '@medplum/fhirtypes';
import { isJsonObject, type JsonObject } from '../../fhir/canonical-json.ts';
import type { RemoteFailure } from '../../remote/result.ts';
import type { Lease } from '../../store/lease.ts';
import { actorOf } from '../connections/settings.ts';
import { ownExchanges, type RunContext, realNow } from '../context.ts';
import { readLinkMarks } from '../identity.ts';
import { inParallel } from '../in-parallel.ts';
import { readLinkMap } from '../link-map.ts';
import { writeMessage } from '../messages/message-log.ts';
import { patientElement, patientsOf } from '../patients/patient-reference.ts';
import { IdSet } from './id-set.ts';
import { nextLink, PageGuard } from './page-guard.ts';
import { applyPage, readPage } from './pull-page.ts';

export interface Listed {
  readonly applied: number;
  /** Remote ids that are there. */
  readonly ids: IdSet;
  /** False when the list may have gaps, so that absence from it says nothing. */
  readonly complete: boolean;
  readonly failure?: RemoteFailure;
}

type Entries = ReturnType<typeof readPage>['entries'];

const MOST_PAGES = 50_000;

export async function listRemote(context: RunContext, type: string, lease: Lease): Promise<Listed> {
  const { vendor } = context.remote;
  return list(context, type, lease, vendor.elements && context.capability.guardsUpdates(type));
}

async function list(context: RunContext, type: string, lease: Lease, brief: boolean): Promise<Listed> {
  const run = ownExchanges(context);
  const element = patientElement(type);
  const elements = brief ? `_elements=id,meta${element ? `,${element}` : ''}&` : '';
  const ids = new IdSet();
  const guard = new PageGuard(MOST_PAGES);
  let applied = 0;
  let reply = await run.client.search(`${type}?${elements}_count=${run.remote.vendor.pageSize}`);
  for (;;) {
    if (!reply.ok) {
      await keepMessages(run, type, reply.failure.class);
      return { applied, ids, complete: false, failure: reply.failure };
    }
    if (lease.signal.aborted || run.signal.aborted) return { applied, ids, complete: false };
    const page = reply.value.body;
    const { entries } = readPage(type, page);
    const isSubset = entries.some(({ body }) => isSubsetted(body));
    // Without versions nothing can be told from ids alone.
    if (isSubset && entries.some(({ version }) => version === undefined)) return list(context, type, lease, false);
    for (const { remoteId } of entries) ids.add(remoteId);
    const wanted = isSubset ? await readDiffering(run, type, entries) : page;
    if (wanted.entry?.length) {
      const result = await applyPage(run, type, wanted, () => [lease.fence, ...messages(run, type, 'swept')]);
      applied += result.applied;
    } else await keepMessages(run, type, 'swept');
    const hasGaps = (page.entry ?? []).some(({ resource }) => resource?.resourceType === 'OperationOutcome');
    const next = nextLink(page);
    if (next === undefined || hasGaps) return { applied, ids, complete: !hasGaps };
    if (guard.check(page, next)) return { applied, ids, complete: false };
    reply = await run.client.page(next);
  }
}

/** The resources of a brief page that are new here or another version, whole. */
async function readDiffering(context: RunContext, type: string, entries: Entries): Promise<Bundle> {
  const { store, connection, client, remote } = context;
  const ids = entries.map(({ remoteId }) => remoteId);
  const marks = await readLinkMarks(store, connection.name, type, ids);
  const isWanted = await wantedOf(
    context,
    type,
    entries.filter(({ remoteId }) => !marks.has(remoteId)),
  );
  const differing = entries.filter((entry) => {
    const mark = marks.get(entry.remoteId);
    if (!mark) return isWanted(entry.remoteId, entry.body);
    return mark.state === 'tombstone' || mark.remoteVersion !== entry.version;
  });
  const entry: NonNullable<Bundle['entry']> = [];
  await inParallel(differing, remote.concurrency, async ({ remoteId }) => {
    const reply = await client.read(type, remoteId);
    if (reply.ok && reply.value.body) entry.push({ resource: reply.value.body });
  });
  return { resourceType: 'Bundle', type: 'searchset', entry };
}

/** Whether something unknown here would be taken in, as far as a brief entry tells. @param entries those unknown here */
async function wantedOf(
  { store, connection, scope }: RunContext,
  type: string,
  entries: Entries,
): Promise<(id: string, body: JsonObject) => boolean> {
  const isPulled = connection.types[type] === 'pull';
  const idsOf = (body: JsonObject) => patientsOf(body).map((patient) => patient.slice(patient.lastIndexOf('/') + 1));
  const targets = entries.flatMap(({ body }) => idsOf(body)).map((id) => ({ type: 'Patient', id }));
  const map = await readLinkMap(store, connection.name, [], targets);
  return (id, body) => {
    if (type === 'Patient') return scope ? scope.has(id) : isPulled;
    const patients = idsOf(body);
    if (patients.length === 0) return isPulled;
    const shared = patients.filter((patient) => map.localOf('Patient', patient) !== undefined);
    return scope ? shared.some((patient) => scope.has(patient)) : isPulled || shared.length > 0;
  };
}

function isSubsetted({ meta }: JsonObject): boolean {
  const tags = isJsonObject(meta) && Array.isArray(meta.tag) ? meta.tag : [];
  return tags.some((tag) => isJsonObject(tag) && tag.code === 'SUBSETTED');
}

function messages(context: RunContext, type: string, outcome: string) {
  const { connection, runId } = context;
  const about = { connection: connection.name, runId, direction: 'pull', type, outcome, keepResponse: false } as const;
  return context.exchanges.take().map((exchange) => writeMessage({ ...about, exchange }, realNow(context)));
}

async function keepMessages(context: RunContext, type: string, outcome: string): Promise<void> {
  const { store, connection, runId } = context;
  await store.commit(actorOf(connection, runId), [], messages(context, type, outcome));
}
