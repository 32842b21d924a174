// Whose records flow: the members of a Group there, or whom a search there finds. Without either it is all who are linked,
// and the links themselves say who that is.
import type { Bundle, Resource } from '@medplum/fhirtypes';
import type { FhirClient } from '../../remote/fhir-client.ts';
import { type Result, success } from '../../remote/result.ts';
import type { Vendor } from '../../remote/vendors/vendor.ts';
import { isFhirId } from '../body.ts';
import { actorOf } from '../connections/settings.ts';
import { ownExchanges, type RunContext, realNow } from '../context.ts';
import { writeMessage } from '../messages/message-log.ts';
import { warnsOfGaps } from './roster-answer.ts';

const MOST_PAGES = 1_000;

/** Remote ids of the patients in scope; undefined when it is those that are linked. */
export async function patientsInScope(context: RunContext): Promise<Result<ReadonlySet<string> | undefined>> {
  const { connection } = context;
  const scope = connection.patients;
  if (!scope || scope.kind === 'linked') return success(undefined);
  const run = ownExchanges(context);
  const gaps = new Set<string>();
  const isGroup = scope.kind === 'group';
  const found = isGroup
    ? await membersOf(run.client, scope.id)
    : await patientsFound(run, queryText(scope.query), gaps);
  if (found.ok) await keepMessages(run, 'patients-in-scope', gapSentence(gaps));
  else {
    const { class: outcome, message } = found.failure;
    const asked = isGroup ? `Group/${scope.id}` : 'The query for the patients in scope';
    const why = `${asked} cannot be read, so it is unknown whose records flow and nothing is read: ${message}`;
    await keepMessages(run, outcome, undefined, why);
  }
  return found;
}

/** Remote ids of the active members of a Group there. */
export async function membersOf(client: Pick<FhirClient, 'read'>, id: string): Promise<Result<ReadonlySet<string>>> {
  const reply = await client.read('Group', id);
  if (!reply.ok) return reply;
  const { body } = reply.value;
  if (body?.resourceType !== 'Group') return success(new Set<string>());
  const members = (body.member ?? []).filter(({ inactive }) => inactive !== true);
  return success(new Set(members.flatMap(({ entity }) => patientId(entity?.reference))));
}

/** @param gaps is told why some may be missing */
async function patientsFound(
  context: RunContext,
  query: string,
  gaps: Set<string>,
): Promise<Result<ReadonlySet<string>>> {
  const found = new Set<string>();
  const seen = new Set<string>();
  let reply = await context.client.search(query);
  for (let pages = 1; ; pages += 1) {
    if (!reply.ok) return reply;
    for (const id of idsOf(reply.value.body)) found.add(id);
    for (const code of gapsIn(reply.value.body, context.remote.vendor)) gaps.add(code);
    const next = reply.value.body.link?.find(({ relation }) => relation === 'next')?.url;
    if (next === undefined) return success(found);
    if (seen.has(next) || pages === MOST_PAGES) {
      return { ok: false, failure: { class: 'permanent', message: 'The pages of the patients in scope never end.' } };
    }
    seen.add(next);
    reply = await context.client.page(next);
  }
}

/** Codes of the warnings among the entries, by which the server says that some may be missing. */
export function gapsIn({ entry = [] }: Bundle, vendor: Vendor): string[] {
  return entry.flatMap(({ resource }) => {
    if (resource?.resourceType !== 'OperationOutcome' || !warnsOfGaps({ resource }, vendor)) return [];
    return resource.issue.map(({ code, details }) => details?.coding?.find((one) => one.code)?.code ?? code);
  });
}

/** undefined without any */
export function gapSentence(gaps: Iterable<string>): string | undefined {
  const codes = [...new Set(gaps)].sort().join(', ');
  if (codes === '') return undefined;
  return `The server warns (${codes}) that the query may not have found everybody; who is missing is not in scope.`;
}

/** A query may be written with or without its type. */
export function queryText(query: string): string {
  return query.startsWith('Patient?') ? query : `Patient?${query.replace(/^\?/, '')}`;
}

function idsOf(page: Bundle): string[] {
  return (page.entry ?? []).flatMap(({ resource, search }) =>
    isPatient(resource) && (search?.mode ?? 'match') === 'match' ? [resource.id] : [],
  );
}

function isPatient(resource: Resource | undefined): resource is Resource & { id: string } {
  return resource?.resourceType === 'Patient' && isFhirId(resource.id);
}

function patientId(reference: string | undefined): string[] {
  const id = /(?:^|\/)Patient\/([^/]+)$/.exec(reference ?? '')?.[1];
  return isFhirId(id) ? [id] : [];
}

/** @param stopped why nothing is read */
async function keepMessages(context: RunContext, outcome: string, detail?: string, stopped?: string): Promise<void> {
  const { store, connection, runId } = context;
  const about = {
    connection: connection.name,
    runId,
    direction: 'pull',
    type: 'Patient',
    keepResponse: false,
  } as const;
  const now = realNow(context);
  const rows = context.exchanges.take().map((exchange) => writeMessage({ ...about, exchange, outcome, detail }, now));
  if (stopped !== undefined) rows.push(writeMessage({ ...about, outcome: 'stopped', detail: stopped }, now));
  await store.commit(actorOf(connection, runId), [], rows);
}
