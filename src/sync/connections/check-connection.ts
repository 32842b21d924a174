// Looks at a server before anybody relies on it, and says what will and will not work. Writes nothing there; here only the
// exchanges, as every exchange is.
import { randomUUID } from 'node:crypto';
import type { CapabilityStatement } from '@medplum/fhirtypes';
import { type Capability, readCapability } from '../../remote/capability.ts';
import type { FhirClient } from '../../remote/fhir-client.ts';
import { US_CORE_REQUIRED } from '../../remote/vendors/us-core.ts';
import type { Vendor } from '../../remote/vendors/vendor.ts';
import type { Store } from '../../store/store.ts';
import { isThere } from '../identity-row.ts';
import { auditExchange } from '../messages/audit-exchange.ts';
import { ExchangeLog, writeMessage } from '../messages/message-log.ts';
import { gapSentence, gapsIn, membersOf, queryText } from '../pull/patient-scope.ts';
import { demandsMore } from '../pull/roster-answer.ts';
import { abilitiesOf, type TypeAbilities } from '../pull/type-abilities.ts';
import { checkOthers } from './check-others.ts';
import { type CheckReport, type Finding, isUsable, type Step, type TypeFinding } from './check-report.ts';
import { typeSentence } from './check-sentences.ts';
import { checkWay, type Way } from './check-way.ts';
import { actorOf, type Connection, type Direction, pulls, pushes } from './settings.ts';

/** More than this and tokens are refused as expired or not yet valid. */
const SKEW_SECONDS = 60;

interface Checked extends Way {
  readonly store: Store;
  /** Those that run beside it. */
  readonly others: readonly Connection[];
}

/** @param way its `remote` is opened for this check only, so that the breaker and the token of the running one are left alone */
export async function checkConnection(way: Checked): Promise<CheckReport> {
  const { connection, remote, store, now } = way;
  const runId = randomUUID();
  const log = new ExchangeLog((exchange) => auditExchange(way, runId, exchange, undefined));
  const steps = [...checkOthers(connection, way.others), ...(await checkWay(way))];
  const types: TypeFinding[] = [];
  if (steps.every(({ finding }) => finding !== 'bad')) {
    const client = remote.session(log.record);
    const { found, capability, date } = await statement(way, client);
    steps.push(...found);
    if (capability) steps.push(...(await checkScope(connection, client, remote.vendor)));
    if (capability) {
      for (const [type, direction] of Object.entries(connection.types)) {
        types.push(await checkType(way, client, capability, type, direction, date ?? now));
      }
    }
  }
  const about = {
    connection: connection.name,
    runId,
    direction: 'pull',
    outcome: 'check',
    keepResponse: false,
  } as const;
  const rows = log.take().map((exchange) => writeMessage({ ...about, exchange }, now.epochMilliseconds));
  if (rows.length > 0) await store.commit(actorOf(connection, runId), [], rows);
  const { name, vendor } = connection;
  return { connection: name, baseUrl: remote.baseUrl, vendor, usable: isUsable(steps, types), steps, types };
}

interface Stated {
  readonly found: Step[];
  readonly capability?: Capability;
  /** The server's clock. */
  readonly date?: Temporal.Instant | undefined;
}

async function statement({ remote, now }: Way, client: FhirClient): Promise<Stated> {
  const step = 'metadata';
  const reply = await client.capability();
  if (!reply.ok) {
    const { message, status } = reply.failure;
    const hint = status === 401 || status === 403 ? ' It does not accept our credential.' : '';
    return { found: [{ step, finding: 'bad', sentence: `/metadata: ${message}${hint}` }] };
  }
  const { body, date } = reply.value;
  if (body?.resourceType !== 'CapabilityStatement') {
    return { found: [{ step, finding: 'bad', sentence: 'The server has no CapabilityStatement.' }] };
  }
  const wrong = problemsOf(body);
  if (wrong.length > 0) return { found: wrong.map((sentence) => ({ step, finding: 'bad', sentence })) };
  const { software, fhirVersion } = body;
  const product = [software?.name, software?.version].filter(Boolean).join(' ') || 'The server does not say what it is';
  const capability = readCapability(body, remote.vendor);
  const together = capability.transaction ? 'takes transactions' : 'takes no transactions';
  const found: Step[] = [{ step, finding: 'ok', sentence: `${product}; FHIR ${fhirVersion} in JSON; it ${together}.` }];
  return { found: [...found, ...clock(date, now)], capability, date };
}

/** Whose records would come in: the Group has to be there, the query has to be taken. */
async function checkScope(connection: Connection, client: FhirClient, vendor: Vendor): Promise<Step[]> {
  const step = 'patients';
  const scope = connection.patients;
  const isPulled = Object.keys(connection.types).some((type) => pulls(connection, type));
  if (!isPulled || !scope || scope.kind === 'linked') return [];
  if (scope.kind === 'query') {
    const reply = await client.search(`${queryText(scope.query)}&_count=1`);
    if (reply.ok) {
      const gaps = gapSentence(gapsIn(reply.value.body, vendor));
      const sentence = 'The query for the patients in scope is taken.';
      return [gaps ? { step, finding: 'note', sentence: `${sentence} ${gaps}` } : { step, finding: 'ok', sentence }];
    }
    const { message } = reply.failure;
    return [{ step, finding: 'bad', sentence: `The query for the patients in scope fails: ${message}` }];
  }
  const members = await membersOf(client, scope.id);
  if (!members.ok) {
    const sentence = `Group/${scope.id} cannot be read, so nothing would come in: ${members.failure.message}`;
    return [{ step, finding: 'bad', sentence }];
  }
  const { size } = members.value;
  if (size === 0) return [{ step, finding: 'note', sentence: 'No patient is in scope.' }];
  return [{ step, finding: 'ok', sentence: `Patients in scope: ${size}.` }];
}

function problemsOf({ fhirVersion, format = [] }: CapabilityStatement): string[] {
  const problems: string[] = [];
  if (!/^4\.0(\.|$)/.test(String(fhirVersion))) {
    problems.push(`The server speaks FHIR ${fhirVersion ?? 'of no stated version'}; Baton speaks R4 (4.0.1).`);
  }
  if (format.length > 0 && !format.some((name) => name.includes('json'))) {
    problems.push(`The server speaks ${format.join(', ')}, and no JSON.`);
  }
  return problems;
}

function clock(date: Temporal.Instant | undefined, now: Temporal.Instant): Step[] {
  const step = 'clock';
  if (!date) return [{ step, finding: 'note', sentence: 'The server does not tell its time (no Date header).' }];
  const ahead = Math.round(now.until(date).total('seconds'));
  const how = `${Math.abs(ahead)} s ${ahead < 0 ? 'behind' : 'ahead'}`;
  if (Math.abs(ahead) <= SKEW_SECONDS) return [{ step, finding: 'ok', sentence: `Its clock is ${how}.` }];
  const sentence = `Its clock is ${how}: tokens may be refused as expired. Set both clocks by NTP.`;
  return [{ step, finding: 'note', sentence }];
}

async function checkType(
  way: Way & { readonly store: Store },
  client: FhirClient,
  capability: Capability,
  type: string,
  direction: Direction,
  since: Temporal.Instant,
): Promise<TypeFinding> {
  const { connection } = way;
  const abilities = abilitiesOf(connection, capability, way.remote.vendor, type);
  const wants = { pull: pulls(connection, type), push: pushes(connection, type) };
  const each: Finding[] = [...(wants.pull ? [comingIn(abilities)] : []), ...(wants.push ? [goingOut(abilities)] : [])];
  const sentence = typeSentence(type, abilities, wants);
  const stated: Finding = each.every((one) => one === each[0]) ? (each[0] ?? 'ok') : 'note';
  const tried =
    wants.pull && abilities.search && !abilities.onlyLinked
      ? await trySearch(way, client, type, abilities, since)
      : undefined;
  if (tried === undefined) return { type, direction, finding: stated, sentence, abilities };
  const finding = stated === 'bad' ? 'bad' : tried.finding;
  return { type, direction, finding, sentence: `${sentence} ${tried.sentence}`, abilities };
}

function comingIn({ pull, onlyLinked }: TypeAbilities): Finding {
  return pull === 'none' ? 'bad' : onlyLinked ? 'note' : 'ok';
}

function goingOut({ push, projection }: TypeAbilities): Finding {
  if (push === 'create-and-update' || (projection?.isChosen === true && projection.isTaken)) return 'ok';
  return push === 'none' ? 'bad' : 'note';
}

/** One harmless search or read, as pulling will ask; undefined when it works. */
async function trySearch(
  { connection, store, remote }: Pick<Way, 'connection' | 'remote'> & { readonly store: Pick<Store, 'query'> },
  client: FhirClient,
  type: string,
  { pull, searchBy }: TypeAbilities,
  since: Temporal.Instant,
): Promise<{ readonly finding: Finding; readonly sentence: string } | undefined> {
  const by = searchBy.find((parameter) => parameter === 'patient' || parameter === 'subject');
  const patient = pull === 'roster' ? await linkedPatient(store, connection.name) : undefined;
  const reply =
    type === 'Patient' && patient !== undefined
      ? await client.read(type, patient)
      : await ask(client, type, pull === 'search' ? [`_lastUpdated=ge${timeOf(since)}`] : narrowed(patient));
  if (reply.ok) return undefined;
  const { status, message } = reply.failure;
  if (status === 401)
    return { finding: 'bad', sentence: 'A search was answered 401: the server does not accept our credential.' };
  if (status === 403) return { finding: 'bad', sentence: 'A search was answered 403: the scope does not reach it.' };
  if (pull === 'roster' && !patient && status !== undefined && status < 500) {
    const sentence = `A search without a patient was answered ${status}, and no patient is linked yet to try with.`;
    return { finding: 'note', sentence };
  }
  return { finding: 'bad', sentence: `A search failed: ${message}` };

  function narrowed(of: string | undefined): string[] {
    if (type === 'Patient' && connection.patients?.kind === 'query') return [connection.patients.query];
    if (pull !== 'roster') return [];
    const [demanded] = remote.vendor.required[type] ?? [];
    return [of && by ? `${by}=${encodeURIComponent(of)}` : '', demanded ?? ''];
  }
}

const timeOf = (since: Temporal.Instant) => encodeURIComponent(since.toString({ smallestUnit: 'second' }));

/** Once more with what US Core lets servers demand, as pulling does. */
async function ask(client: FhirClient, type: string, conditions: readonly string[]) {
  const queryOf = (all: readonly string[]) => `${type}?${[...all.filter((one) => one !== ''), '_count=1'].join('&')}`;
  const reply = await client.search(queryOf(conditions));
  const [more] = US_CORE_REQUIRED[type] ?? [];
  if (reply.ok || more === undefined || !demandsMore(reply.failure)) return reply;
  return client.search(queryOf([...conditions, more]));
}

async function linkedPatient(store: Pick<Store, 'query'>, connection: string): Promise<string | undefined> {
  const sql = `SELECT remote_id FROM identity WHERE connection = ? AND type = 'Patient'
    AND ${isThere()} AND how <> 'projected' LIMIT 1`;
  const [row] = await store.query(sql, [connection]);
  return row && String(row.remote_id);
}
