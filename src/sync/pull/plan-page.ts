// Decides what each resource of a page means here, without writing anything. One that cannot be decided about is refused and
// holds up none of the others. docs/sync-spec.md#I7
import { asFault } from '../../fault.ts';
import { parseBody } from '../body.ts';
import { pulls } from '../connections/settings.ts';
import type { RunContext } from '../context.ts';
import { readFormerLinks, readLinkMarks, readLinksByRemote, remoteHash } from '../identity.ts';
import { readLetGo } from '../let-go-terms.ts';
import { readLinkMap } from '../link-map.ts';
import { remoteTargets } from '../mapping.ts';
import { readMeant } from '../meant.ts';
import { lastOfEach } from '../patients/alias.ts';
import { heldAmong, idOfPatient, letGo } from '../patients/held.ts';
import { dropQuestion, openQuestions } from '../patients/identity-question.ts';
import { patientsOf } from '../patients/patient-reference.ts';
import { unseenAmong } from '../unseen.ts';
import { identify, quickEcho } from './identify.ts';
import { holdBack, type Incoming, plan, type Received } from './incoming.ts';
import { planLost } from './lost-there.ts';
import { isOfTheData, type Refused, refusedBy } from './refused.ts';
import { planGone } from './remote-gone.ts';

export type Entry = Pick<Received, 'type' | 'remoteId' | 'body' | 'version'>;

/** What the remote says that it has not any more. */
export interface Gone {
  readonly remoteIds: readonly string[];
  /** It lost them, because it was restored or wiped; nobody deleted them. */
  readonly isLost: boolean;
}

export interface PagePlan {
  readonly incoming: readonly Incoming[];
  readonly refused: readonly Refused[];
}

/** Decides about every entry without writing anything. */
export async function planPage(context: RunContext, type: string, entries: readonly Entry[]): Promise<PagePlan> {
  const { store, connection, mapping } = context;
  const ids = entries.map(({ remoteId }) => remoteId);
  const marks = await readLinkMarks(store, connection.name, type, ids);
  const decided: Incoming[] = [];
  const refused: Refused[] = [];
  const news: Entry[] = [];
  for (const entry of entries) {
    const mark = marks.get(entry.remoteId);
    const known = mark && quickEcho(context, entry, mark);
    if (known) decided.push(known);
    else news.push(entry);
  }
  const linked = news.filter(({ remoteId }) => marks.has(remoteId)).map(({ remoteId }) => remoteId);
  const links = await readLinksByRemote(store, connection.name, type, linked);
  const unlinked = news.filter(({ remoteId }) => !links.has(remoteId)).map(({ remoteId }) => remoteId);
  const former = await readFormerLinks(store, connection.name, type, unlinked);
  const meant = await readMeant(store, connection.name, type, unlinked);
  const inQuestion = await openQuestions(store, connection.name, type, unlinked);
  const received: Received[] = [];
  for (const entry of news) {
    const { remoteId } = entry;
    const known = await orRefused(entry, () =>
      identify(context, entry, {
        link: links.get(remoteId),
        former: former.get(remoteId),
        meant: meant.get(remoteId),
        isAsked: inQuestion.has(remoteId),
      }),
    );
    if ('detail' in known) refused.push(known);
    else if ('outcome' in known) decided.push(known);
    else received.push(known);
  }
  const bodies = received.flatMap(({ body, link }) => (link?.baseRemote ? [body, link.baseRemote] : [body]));
  const targets = bodies.flatMap((body) => remoteTargets(mapping, body));
  const map = await readLinkMap(store, connection.name, [], targets);
  for (const { localId, remoteId } of received) map.add(type, localId, remoteId);
  const letGo = await readLetGo(context, map, bodies, context.client);
  const named = new Set(received.flatMap((one) => patientIdsOf(context, one)));
  const unknown = [...named].filter((id) => map.localOf('Patient', id) === undefined);
  const standing = await lastOfEach(store, connection.name, unknown);
  const patients = [...new Set([...named, ...standing.values()])];
  const asked = await openQuestions(store, connection.name, 'Patient', patients);
  // Where patients are only sent, nobody takes in what is held of one.
  const mayBeHeld = pulls(connection, 'Patient') ? patients : [];
  const heldPatients = await heldAmong(store, connection.name, 'Patient', mayBeHeld);
  const unseen = await unseenAmong(store, connection.name, 'Patient', patients);
  const linkedPatients = await readLinkMarks(store, connection.name, 'Patient', [...heldPatients.keys()]);
  for (const one of received) {
    const before = new Set(one.link?.baseRemote && patientIdsOf(context, { type, body: one.link.baseRemote }));
    const waits = (id: string) => {
      const isUnknown = map.localOf('Patient', id) === undefined;
      // Whether the one that stands for it does so still is not known.
      const isInDoubt = isUnknown || !linkedPatients.has(id);
      // The server may have lost them and have given their id to somebody else.
      if (unseen.has(id) && !before.has(id)) return true;
      return (asked.has(id) && (!one.link || isUnknown)) || (heldPatients.has(id) && isInDoubt);
    };
    const ids = patientIdsOf(context, one).flatMap((id) => [id, standing.get(id) ?? id]);
    const patient = ids.find(waits);
    const planned = patient
      ? holdBack(context, one, { type: 'Patient', id: patient })
      : await orRefused(one, () => plan(context, one, map, letGo));
    if ('detail' in planned) refused.push(planned);
    else decided.push(planned);
  }
  const held = await heldAmong(store, connection.name, type, ids);
  const incoming = decided.map((one) => letGoUnlessHeld(context, one, held));
  for (const { outcome, remoteId, why } of incoming) {
    if (outcome !== 'held' || why === undefined) continue;
    context.log.warn({ connection: connection.name, type, remoteId, why }, 'kept as it came; the next pull asks again');
  }
  return { incoming, refused };
}

/** What is wrong with one resource concerns that one only. */
async function orRefused<T>(one: Pick<Entry, 'remoteId' | 'body'>, look: () => Promise<T>): Promise<T | Refused> {
  try {
    return await look();
  } catch (error) {
    const fault = asFault(error);
    if (!isOfTheData(fault)) throw error;
    return refusedBy(one, fault);
  }
}

/** Remote ids of the patients it is about. */
function patientIdsOf({ mapping }: RunContext, { type, body }: Pick<Received, 'type' | 'body'>): string[] {
  const references = type === 'Patient' ? [] : patientsOf(body);
  return references.flatMap((reference) => idOfPatient(reference, mapping.remoteBase) ?? []);
}

/**
 * What was held of a resource is older than the copy that has just been decided about, or than its end. One that is held again
 * as it was is no news.
 */
function letGoUnlessHeld(context: RunContext, one: Incoming, held: ReadonlyMap<string, string>): Incoming {
  const before = held.get(one.remoteId);
  const isSame =
    before !== undefined && one.outcome === 'held' && remoteHash(parseBody(before)) === remoteHash(one.body);
  if (isSame) return { ...one, outcome: 'waiting' };
  if (one.isHeld || !held.has(one.remoteId)) return one;
  const gone = letGo(context.connection.name, one.type, one.remoteId);
  return { ...one, statements: [...one.statements, gone] };
}

/** Decides about resources that the remote has not any more: those that are linked, and what is held. */
export async function planAllGone(
  context: RunContext,
  type: string,
  { remoteIds: gone, isLost }: Gone,
): Promise<Incoming[]> {
  const { store, connection } = context;
  const links = await readLinksByRemote(store, connection.name, type, gone);
  const held = await heldAmong(store, connection.name, type, gone);
  const nothing = { type, outcome: 'echo', remoteVersion: undefined, body: { resourceType: type } } as const;
  const ids = [...new Set(gone)].filter((remoteId) => links.has(remoteId) || held.has(remoteId));
  const planned = ids.map(async (remoteId): Promise<Incoming> => {
    const link = links.get(remoteId);
    if (link) return isLost ? planLost(context, link) : planGone(context, link);
    return { ...nothing, remoteId, changes: [], statements: [dropQuestion(connection.name, type, remoteId)] };
  });
  return (await Promise.all(planned)).map((one) => letGoUnlessHeld(context, one, held));
}
