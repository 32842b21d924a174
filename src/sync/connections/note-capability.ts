// Compares what the server states with what it stated last time, across restarts. A change in what this connection relies on
// is one event with its difference, and says which types are read in another way from now on. docs/sync-spec.md#I29
import { asFault } from '../../fault.ts';
import { isJsonObject, type Json, type JsonObject } from '../../fhir/canonical-json.ts';
import type { Capability } from '../../remote/capability.ts';
import type { Vendor } from '../../remote/vendors/vendor.ts';
import type { Statement, Store } from '../../store/store.ts';
import { type RunContext, realNow } from '../context.ts';
import { writeMessage } from '../messages/message-log.ts';
import { type RemoteFact, readFact } from '../pull/remote-fact.ts';
import { choosePlan, type PullPlan } from '../pull/strategy.ts';
import { refusedPlans } from '../pull/type-refusal.ts';
import { takeUpAgain } from '../push/door-opened.ts';
import { actorOf, type Connection, pulls } from './settings.ts';

export const CAPABILITY_FACT = 'capability';

/** As kept from one look to the next. */
interface Stated {
  readonly types: Readonly<Record<string, JsonObject>>;
  readonly plans: Readonly<Record<string, PullPlan>>;
  /** What the connection itself said about the plans; absent in what earlier versions kept. */
  readonly wishes?: JsonObject;
}

/** Every answer of a server is compared once by a process, which may go on with one that another process knows better. */
const noted = new WeakSet<Capability>();

export async function noteCapability(context: RunContext): Promise<void> {
  const { store, connection, capability, remote, runId, emit, log } = context;
  if (noted.has(capability)) return;
  const stated = statedBy(connection, capability, remote.vendor);
  const fact = await readFact(store, connection.name, CAPABILITY_FACT);
  const value = JSON.stringify(stated);
  const before: Stated | undefined = fact && JSON.parse(fact.value);
  const differences = before && fact?.value !== value ? compare(before, stated) : [];
  const detail = differences.join(' ');
  const about = {
    connection: connection.name,
    runId,
    direction: 'pull',
    outcome: 'capability-changed',
    detail,
  } as const;
  const now = realNow(context);
  const messages = differences.length > 0 ? [writeMessage(about, now)] : [];
  // Before it is kept, so that a crash in between repeats it.
  if (before) await takeUpAgain(context, reopened(before, stated));
  if (fact?.value !== value) {
    try {
      await store.commit(actorOf(connection, runId), [], [instead(connection.name, fact, value, now), ...messages]);
    } catch (error) {
      // Whoever was faster has told.
      if (asFault(error).kind === 'conflict') return;
      throw error;
    }
  }
  noted.add(capability);
  if (differences.length === 0) return;
  log.warn(
    { connection: connection.name, differences: differences.length },
    'the server can do other things than before',
  );
  emit({ kind: 'capability', connection: connection.name, detail });
}

/** How each type was pulled at the last look at the server, or is since it refused a way; empty before the first. */
export async function knownPlans(
  store: Pick<Store, 'query'>,
  connection: string,
): Promise<Readonly<Record<string, PullPlan>>> {
  const fact = await readFact(store, connection, CAPABILITY_FACT);
  const stated: Stated | undefined = fact && JSON.parse(fact.value);
  const refused = await refusedPlans(store, connection);
  return Object.fromEntries(
    Object.entries(stated?.plans ?? {}).map(([type, plan]) => [
      type,
      plan.strategy === 'none' ? plan : (refused.get(type) ?? plan),
    ]),
  );
}

/** In place of the fact as it was read; the commit fails with a conflict when it is another one by now. */
function instead(connection: string, fact: RemoteFact | undefined, value: string, now: number): Statement {
  const name = [connection, CAPABILITY_FACT];
  if (fact) {
    const sql = 'UPDATE remote_fact SET value = ?, at = ? WHERE connection = ? AND name = ? AND value = ?';
    return { sql, params: [value, now, ...name, fact.value], rows: 1 };
  }
  const sql = `INSERT INTO remote_fact (connection, name, value, at) VALUES (?, ?, ?, ?)
    ON CONFLICT (connection, name) DO NOTHING`;
  return { sql, params: [...name, value, now], rows: 1 };
}

function statedBy(connection: Connection, capability: Capability, vendor: Vendor): Stated {
  const types = Object.keys(connection.types).sort();
  const pulled = types.filter((type) => pulls(connection, type));
  return {
    types: Object.fromEntries(types.map((type) => [type, capability.reliedOn.get(type) ?? {}])),
    plans: Object.fromEntries(pulled.map((type) => [type, choosePlan(connection, capability, vendor, type)])),
    wishes: Object.fromEntries(
      pulled.map((type) => [type, `${connection.vendor} ${connection.strategies?.[type] ?? ''}`]),
    ),
  };
}

/** One sentence per difference. */
function compare(before: Stated, after: Stated): string[] {
  const said: string[] = [];
  for (const type of Object.keys(after.types)) {
    const [was, is] = [before.types[type], after.types[type] ?? {}];
    // A type that this connection did not use then.
    if (was === undefined) continue;
    const differences = differencesOf(type, was, is);
    said.push(...differences);
    const [old, now] = [before.plans[type]?.strategy, after.plans[type]?.strategy];
    // What we ask for in another way ourselves is no news of the server.
    const isAskedAlike = before.wishes ? before.wishes[type] === after.wishes?.[type] : differences.length > 0;
    if (old !== undefined && now !== undefined && old !== now && isAskedAlike)
      said.push(`${type} is pulled by ${now} instead of ${old}.`);
  }
  return said;
}

function differencesOf(type: string, was: JsonObject, is: JsonObject): string[] {
  // Gone or there as a whole: its parts are no news then.
  if (was.type !== is.type) return [`${type} is ${is.type === undefined ? 'gone' : 'there'}.`];
  const elements = new Set([...Object.keys(was), ...Object.keys(is)]);
  return [...elements].flatMap((element) => difference(type, element, was[element], is[element]));
}

/** Types of which something can be written that could not before. */
function reopened(before: Stated, after: Stated): string[] {
  return Object.entries(after.types).flatMap(([type, is]) => {
    const had = new Set(interactionsOf(before.types[type] ?? {}));
    return interactionsOf(is).some((one) => WRITES.has(one) && !had.has(one)) ? [type] : [];
  });
}

const WRITES: ReadonlySet<Json> = new Set(['create', 'update', 'delete']);

function interactionsOf({ interactions, updateCreate }: JsonObject): readonly Json[] {
  return [...(Array.isArray(interactions) ? interactions : []), ...(updateCreate === true ? ['create'] : [])];
}

function difference(type: string, element: string, was: Json | undefined, is: Json | undefined): string[] {
  if (Array.isArray(was) || Array.isArray(is)) {
    const [old, now] = [new Set(Array.isArray(was) ? was : []), new Set(Array.isArray(is) ? is : [])];
    const lost = [...old].filter((one) => !now.has(one));
    const gained = [...now].filter((one) => !old.has(one));
    return [
      ...(lost.length > 0 ? [`${type} lost ${element}: ${lost.join(', ')}.`] : []),
      ...(gained.length > 0 ? [`${type} gained ${element}: ${gained.join(', ')}.`] : []),
    ];
  }
  if (was === is || isJsonObject(was) || isJsonObject(is)) return [];
  return [`${type} ${element}: ${was ?? 'nothing'} became ${is ?? 'nothing'}.`];
}
