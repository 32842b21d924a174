// Compares what the server states with what it stated last time, across restarts. A change in what this connection relies on
// is one event with its difference, and says which types are read in another way from now on. docs/sync-spec.md#I29
import { isJsonObject, type Json, type JsonObject } from '../../fhir/canonical-json.ts';
import type { Capability } from '../../remote/capability.ts';
import type { Vendor } from '../../remote/vendors/vendor.ts';
import type { Store } from '../../store/store.ts';
import { type RunContext, realNow } from '../context.ts';
import { writeMessage } from '../messages/message-log.ts';
import { readFact, saveFact } from '../pull/remote-fact.ts';
import { choosePlan, type PullPlan } from '../pull/strategy.ts';
import { actorOf, type Connection, pulls } from './settings.ts';

export const CAPABILITY_FACT = 'capability';

/** As kept from one look to the next. */
interface Stated {
  readonly types: Readonly<Record<string, JsonObject>>;
  readonly plans: Readonly<Record<string, PullPlan>>;
}

export async function noteCapability(context: RunContext): Promise<void> {
  const { store, connection, capability, remote, runId, emit, log } = context;
  const stated = statedBy(connection, capability, remote.vendor);
  const fact = await readFact(store, connection.name, CAPABILITY_FACT);
  const value = JSON.stringify(stated);
  if (fact?.value === value) return;
  const differences = fact ? compare(JSON.parse(fact.value), stated) : [];
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
  await store.commit(
    actorOf(connection, runId),
    [],
    [saveFact(connection.name, CAPABILITY_FACT, value, now), ...messages],
  );
  if (differences.length === 0) return;
  log.warn(
    { connection: connection.name, differences: differences.length },
    'the server can do other things than before',
  );
  emit({ kind: 'capability', connection: connection.name, detail });
}

/** How each type was pulled at the last look at the server; empty before the first. */
export async function knownPlans(
  store: Pick<Store, 'query'>,
  connection: string,
): Promise<Readonly<Record<string, PullPlan>>> {
  const fact = await readFact(store, connection, CAPABILITY_FACT);
  const stated: Stated | undefined = fact && JSON.parse(fact.value);
  return stated?.plans ?? {};
}

function statedBy(connection: Connection, capability: Capability, vendor: Vendor): Stated {
  const types = Object.keys(connection.types).sort();
  return {
    types: Object.fromEntries(types.map((type) => [type, capability.reliedOn.get(type) ?? {}])),
    plans: Object.fromEntries(
      types
        .filter((type) => pulls(connection, type))
        .map((type) => [type, choosePlan(connection, capability, vendor, type)]),
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
    for (const element of new Set([...Object.keys(was), ...Object.keys(is)])) {
      said.push(...difference(type, element, was[element], is[element]));
    }
    const [old, now] = [before.plans[type]?.strategy, after.plans[type]?.strategy];
    if (old !== undefined && now !== undefined && old !== now)
      said.push(`${type} is pulled by ${now} instead of ${old}.`);
  }
  return said;
}

function difference(type: string, element: string, was: Json | undefined, is: Json | undefined): string[] {
  if (element === 'type') return was === is ? [] : [`${type} is ${is === undefined ? 'gone' : 'there'}.`];
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
