// Moves resources from one patient's record to another's: the references change, here and in the common versions, so that
// no server is told of a change that it made itself.

import { asFault, type Fault } from '../../fault.ts';
import { type JsonObject, sameJson } from '../../fhir/canonical-json.ts';
import { rewriteLinks } from '../../fhir/references.ts';
import { unlessClosedSince } from '../../store/closed-meanwhile.ts';
import type { Actor } from '../../store/store.ts';
import { jsonOf, parseBody, resourceOf } from '../body.ts';
import { actorOf } from '../connections/settings.ts';
import type { RunContext } from '../context.ts';
import { readLink, setBaseLocal } from '../identity.ts';
import { isLive } from '../identity-row.ts';
import { isOfTheData } from '../pull/refused.ts';
import { resourcesOfPatient } from './references-to-patient.ts';

const BATCH = 200;

interface Move {
  readonly actor: Actor;
  /** Ids of the patients. */
  readonly from: string;
  readonly to: string;
  /** Of the log, before it was looked at who stands for them. */
  readonly head: number;
}

/**
 * What is linked with the connection's server moves; the server has moved its copies itself.
 * @param head of the log before it was looked at who stands for them
 * @throws Fault of the first that could not move, when the others have
 */
export async function moveLinked(context: RunContext, from: string, to: string, head: number): Promise<void> {
  const { store, connection, runId, signal } = context;
  const sql = `SELECT type, local_id FROM identity WHERE connection = ? AND ${isLive()} AND type <> 'Patient'
    AND base_local LIKE ? AND (type > ? OR (type = ? AND local_id > ?)) ORDER BY type, local_id LIMIT ${BATCH}`;
  const move = { actor: actorOf(connection, runId), from, to, head };
  const faults: Fault[] = [];
  let [lastType, lastId] = ['', ''];
  while (!signal.aborted) {
    const rows = await store.query(sql, [connection.name, `%"Patient/${from}"%`, lastType, lastType, lastId]);
    for (const row of rows) {
      [lastType, lastId] = [String(row.type), String(row.local_id)];
      await moveOrKeep(faults, context, move, lastType, lastId);
    }
    if (rows.length < BATCH) break;
  }
  throwFirst(faults);
}

/**
 * Everything that refers to the patient moves.
 * @param head of the log before it was looked at who stands for them
 * @throws Fault of the first that could not, when the others have
 */
export async function moveAll(
  context: RunContext,
  actor: Actor,
  from: string,
  to: string,
  head: number,
): Promise<void> {
  const faults: Fault[] = [];
  for (const { type, id } of await resourcesOfPatient(context, from)) {
    if (context.signal.aborted) return;
    await moveOrKeep(faults, context, { actor, from, to, head }, type, id);
  }
  throwFirst(faults);
}

/** One that the store refuses, or that somebody edits at the moment, keeps no other from moving. */
async function moveOrKeep(faults: Fault[], ...one: Parameters<typeof moveOne>): Promise<void> {
  try {
    await moveOne(...one);
  } catch (error) {
    const fault = asFault(error);
    if (!isOfTheData(fault) && fault.kind !== 'precondition' && fault.kind !== 'conflict') throw error;
    faults.push(fault);
  }
}

/** What a person has to make room for is told before what the next run does by itself. */
function throwFirst(faults: readonly Fault[]): void {
  const fault = faults.find(isOfTheData) ?? faults[0];
  if (fault) throw fault;
}

async function moveOne(context: RunContext, { actor, from, to, head }: Move, type: string, id: string): Promise<void> {
  const { store, connection } = context;
  const stored = await store.read(type, id);
  const link = await readLink(store, connection.name, type, id);
  const alongside = link?.baseLocal ? [setBaseLocal(link, pointed(link.baseLocal, from, to))] : [];
  const body = stored && stored.operation !== 'delete' ? parseBody(stored.content) : undefined;
  const next = body && pointed(body, from, to);
  const isMoved = stored && body && next && !sameJson(body, next);
  const changes = isMoved ? [{ op: 'update' as const, resource: resourceOf(next), ifMatch: stored.versionId }] : [];
  if (changes.length + alongside.length === 0) return;
  // Whoever it goes to may have been merged away since, and emptied.
  await store.commit(actor, changes, [...unlessClosedSince([to], head), ...alongside]);
}

function pointed(body: JsonObject, from: string, to: string): JsonObject {
  const whole = `Patient/${from}`;
  return jsonOf(
    rewriteLinks(resourceOf(body), (url) =>
      url === whole || url.startsWith(`${whole}/`) ? `Patient/${to}` : undefined,
    ),
  );
}
