// A patient is in: the notices that are to be given during the stay begin, counted from when the patient came in as what the
// encounter now says (observation, inpatient). They move with a corrected time, and end with a stay that was none. What
// has been raised stays, whatever the stay becomes: a notice is owed also after it.
import type { Encounter, EpisodeOfCare } from '@medplum/fhirtypes';
import { toInstant } from '../care/local-time.ts';
import { findResources, parseVersion, readResource } from '../care/stored.ts';
import { isInHouse, isStay, leftBy } from '../care/transition/discharge.ts';
import { isLive, isOfStay, moveEpisode, noticesIdFor } from '../care/transition/episode.ts';
import { cancelFollowUp } from '../care/transition/follow-up.ts';
import { stageOf } from '../care/transition/life.ts';
import { type Protocol, protocolsOfStay } from '../care/transition/protocol.ts';
import { planNotices } from '../care/transition/stay-notices.ts';
import type { TransitionContext } from '../care/transition/transition-context.ts';
import { isTerminal } from '../fhir/status/task.ts';
import type { StoredVersion } from '../store/store.ts';
import { countedDischarge } from './counted-discharge.ts';
import { gatherStay, withPeople } from './facts.ts';
import { readLivePlan } from './live-plan.ts';
import type { Parts } from './parts.ts';
import { both, NOTHING, type Reaction, withdrawAll } from './reaction.ts';
import { isAnchoredAt, moveFollowUp } from './revise.ts';
import { updatesWithProvenance } from './withdraw.ts';

/** @param notices what holds the notices of this encounter */
export async function reactToStay(
  parts: Parts,
  entry: StoredVersion,
  notices: readonly EpisodeOfCare[],
): Promise<Reaction> {
  const { store, clock, rules } = parts;
  const live = notices.filter(isLive);
  if (live.length === 0 && !rules.protocols.some(({ begins }) => begins === 'admission')) return NOTHING;
  const encounter = entry.operation === 'delete' ? undefined : parseVersion(entry, 'Encounter');
  if (!encounter || isVoid(encounter)) return withdrawAll(store, live, 'admission-cancelled', clock.now());
  if (!isInHouse(encounter)) {
    if (live.length === 0) return NOTHING;
    const { zone } = await parts.facilities.placeOf(encounter.serviceProvider);
    const isOver = encounter.status === 'finished';
    const left = isOver ? (await countedDischarge(store, encounter, zone)).at : clock.now();
    // Who went home on a day may have been there until its end.
    return endUnopened(parts, live, leftBy(encounter, left, zone));
  }
  return beginNotices(parts, encounter, notices);
}

/** The notices that a stay calls for as it is now. */
async function beginNotices(parts: Parts, encounter: Encounter, notices: readonly EpisodeOfCare[]): Promise<Reaction> {
  const stay = await gatherStay(parts, encounter);
  if (!stay) return NOTHING;
  const wanted = protocolsOfStay(parts.rules.protocols, stay);
  if (wanted.length === 0 && !notices.some(isLive)) return NOTHING;
  const context = { ...stay, anchor: { ...stay.anchor, discharge: await admittedAt(parts, encounter, stay) } };
  const idOf = ({ definition }: Protocol) => noticesIdFor(encounter.id ?? '', definition.url ?? '');
  const byId = new Map(notices.map((episode) => [episode.id, episode]));
  const fresh = wanted.filter((protocol) => !byId.has(idOf(protocol)));
  const people = fresh.length > 0 ? await withPeople(parts, context) : context;
  const unwanted = notices.filter((one) => isLive(one) && !wanted.some((protocol) => idOf(protocol) === one.id));
  let reaction = await endUnopened(parts, unwanted, context.anchor.discharge);
  for (const protocol of wanted) {
    const episode = byId.get(idOf(protocol));
    const next = episode ? await moved(parts, episode, protocol, context) : begun(protocol, people);
    reaction = both(reaction, next);
  }
  return reaction;
}

const isVoid = (encounter: Encounter) =>
  !isStay(encounter) || encounter.status === 'cancelled' || encounter.status === 'entered-in-error';

function begun(protocol: Protocol, context: TransitionContext): Reaction {
  const plan = planNotices(protocol, context);
  if (!plan) return NOTHING;
  const { episode, followUps } = plan;
  const encounter = context.encounter.id ?? '';
  return {
    changes: plan.changes,
    events: () => [{ kind: 'notices-begun', episode, encounter, protocol: protocol.canonical, followUps }],
  };
}

/** Counted from the corrected admission. */
async function moved(
  { store }: Parts,
  episode: EpisodeOfCare,
  protocol: Protocol,
  context: TransitionContext,
): Promise<Reaction> {
  if (!isLive(episode)) return NOTHING;
  const plan = await readLivePlan(store, episode);
  if (isAnchoredAt(plan, context)) return NOTHING;
  const tasks = plan.tasks.flatMap((task) => moveFollowUp(task, protocol, context));
  const encounter = context.encounter.id ?? '';
  const changed = [moveEpisode(episode, context), ...tasks];
  return {
    changes: updatesWithProvenance(changed, `Encounter/${encounter}`, context.now),
    events: () => [{ kind: 'transition-moved', episode: episode.id ?? '', encounter, followUps: tasks.length }],
  };
}

/** What was to be given only if the stay had gone on until `end` or longer. */
async function endUnopened(
  { store, clock }: Parts,
  live: readonly EpisodeOfCare[],
  end: Temporal.Instant,
): Promise<Reaction> {
  let reaction = NOTHING;
  for (const episode of live) {
    const plan = await readLivePlan(store, episode);
    const open = plan.tasks.filter(({ status }) => !isTerminal(status));
    const unopened = open.filter((task) => {
      const start = task.restriction?.period?.start;
      return stageOf(task) === 'scheduled' && start && Temporal.Instant.compare(toInstant(start, 'UTC'), end) > 0;
    });
    if (unopened.length === 0) continue;
    const isAll = unopened.length === plan.tasks.length;
    const cancelled = unopened.map((task) => cancelFollowUp(task, 'not-needed', clock.now()));
    const source = `Encounter/${plan.carePlan?.encounter?.reference?.split('/')[1] ?? ''}`;
    const some: Reaction = { changes: updatesWithProvenance(cancelled, source, clock.now()), events: () => [] };
    reaction = both(reaction, isAll ? await withdrawAll(store, [episode], 'not-needed', clock.now()) : some);
  }
  return reaction;
}

/**
 * When the patient came in as what the encounter says now: the class history tells, else the first of its versions since
 * which it has said so, else the beginning of the stay.
 */
async function admittedAt(
  parts: Parts,
  encounter: Encounter,
  { anchor }: TransitionContext,
): Promise<Temporal.Instant> {
  const told = encounter.classHistory?.findLast((one) => one.class.code === encounter.class.code)?.period?.start;
  if (told) return toInstant(told, anchor.zone);
  const changed = await classSince(parts, encounter);
  return changed && Temporal.Instant.compare(changed, anchor.discharge) > 0 ? changed : anchor.discharge;
}

/** Statuses in which the patient was there already, as something else. */
const PRESENT: ReadonlySet<Encounter['status']> = new Set(['arrived', 'triaged', 'in-progress', 'onleave']);

/** Versions read at a time. */
const PAGE = 50;

/** When a version was stored before which the patient was there with another class; undefined when that was never so. */
async function classSince(
  { store }: Parts,
  { id = '', meta, class: is }: Encounter,
): Promise<Temporal.Instant | undefined> {
  let since = meta?.lastUpdated;
  for (let cursor: string | undefined; ; ) {
    const page = await store.history({ type: 'Encounter', id, count: PAGE, ...(cursor ? { cursor } : {}) });
    for (const stored of page.items) {
      if (Number(stored.versionId) >= Number(meta?.versionId)) continue;
      if (stored.operation === 'delete') return undefined;
      const earlier = parseVersion(stored, 'Encounter');
      if (earlier.class.code !== is.code) {
        return PRESENT.has(earlier.status) && since ? Temporal.Instant.from(since) : undefined;
      }
      since = stored.lastUpdated;
    }
    if (page.next === undefined) return undefined;
    cursor = page.next;
  }
}

/** Who pays became known: the stays that the patient is in are looked at again. */
export async function reactToCoverage(parts: Parts, entry: StoredVersion): Promise<Reaction> {
  const { store, rules } = parts;
  if (entry.operation === 'delete' || !rules.protocols.some(({ begins }) => begins === 'admission')) return NOTHING;
  const { beneficiary } = parseVersion(entry, 'Coverage');
  if (!beneficiary?.reference?.startsWith('Patient/')) return NOTHING;
  const query = new URLSearchParams({ patient: beneficiary.reference, status: 'in-progress,onleave' });
  let reaction = NOTHING;
  for (const { id } of await store.find(`Encounter?${query}`)) {
    const encounter = await readResource(store, 'Encounter', id);
    if (encounter && isInHouse(encounter)) reaction = both(reaction, await noticesOf(parts, encounter));
  }
  return reaction;
}

async function noticesOf(parts: Parts, encounter: Encounter): Promise<Reaction> {
  const begun = await findResources(parts.store, 'EpisodeOfCare', { encounter: `Encounter/${encounter.id}` });
  return beginNotices(parts, encounter, begun.filter(isOfStay));
}
