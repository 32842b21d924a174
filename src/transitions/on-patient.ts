// A patient's death ends the transitions that are under way; taken back, the last one goes on. Of two records that turn out
// to be one person's, the last discharge counts.
import type { EpisodeOfCare } from '@medplum/fhirtypes';
import { parseVersion, readResource } from '../care/stored.ts';
import { chainReason } from '../care/transition/chain.ts';
import { encounterOfEpisode, isOfEmergency } from '../care/transition/episode.ts';
import type { LogEntry } from '../store/store.ts';
import { gatherFacts, liveNotices, liveTransitions } from './facts.ts';
import { inOrder, keptFor } from './left-at.ts';
import { reactToEncounter } from './on-encounter.ts';
import type { Parts } from './parts.ts';
import { both, NOTHING, type Reaction, withdrawAll, withdrawEach } from './reaction.ts';
import { resumeLast } from './resume.ts';
import { type ChainReason, stayAfter } from './stays.ts';

export async function reactToPatient(parts: Parts, entry: LogEntry): Promise<Reaction> {
  if (entry.operation === 'delete') return NOTHING;
  const patient = parseVersion(entry, 'Patient');
  const reference = `Patient/${entry.id}`;
  if (patient.deceasedBoolean || patient.deceasedDateTime) {
    const live = await liveTransitions(parts, reference);
    const ended = [...(await withoutThoseOfTheDead(parts, live)), ...(await liveNotices(parts, reference))];
    return withdrawAll(parts.store, ended, 'died', parts.clock.now());
  }
  if (patient.link?.some(({ type }) => type === 'replaces')) {
    const doubled = await doubledIn(parts, await liveTransitions(parts, reference));
    if (doubled.length > 0) return withdrawEach(parts, doubled, parts.clock.now());
  }
  if (entry.versionId === '1') return afterTheirDischarges(parts, entry);
  return resumeLast(parts, { subject: { reference } }, ['died']);
}

/** Of stays that were stored before their patient was: nothing could begin with them. */
async function afterTheirDischarges(parts: Parts, { id, sequence }: LogEntry): Promise<Reaction> {
  const query = new URLSearchParams({ patient: `Patient/${id}`, status: 'finished,in-progress,onleave' });
  const stays = await parts.store.find(`Encounter?${query}`);
  let reaction = NOTHING;
  for (const stay of stays)
    if (stay.sequence < sequence) reaction = both(reaction, await reactToEncounter(parts, stay));
  return reaction;
}

/** What began with a death does not end with it. */
async function withoutThoseOfTheDead(
  { store, rules }: Parts,
  episodes: readonly EpisodeOfCare[],
): Promise<EpisodeOfCare[]> {
  const kept = await Promise.all(
    episodes.map(async (episode) => {
      const encounter = await readResource(store, 'Encounter', encounterOfEpisode(episode));
      return encounter && rules.destinationOf(encounter) === 'died' ? [] : [episode];
    }),
  );
  return kept.flat();
}

/** Transitions that count no more: a stay followed that was known under the other record, or a later discharge. */
async function doubledIn(parts: Parts, live: readonly EpisodeOfCare[]): Promise<Doubled[]> {
  const ordered = await inOrder(
    parts,
    live.filter((episode) => !isOfEmergency(episode)),
  );
  const found = await Promise.all(
    ordered.map(async ({ episode, left }, at): Promise<Doubled[]> => {
      const stay = await laterStayOf(parts, episode);
      if (stay) return [{ episode, reason: stay }];
      const { zone } = await parts.facilities.placeOf(episode.managingOrganization);
      const next = ordered[at + 1];
      const isChained = next && chainReason(next.left, left, zone) !== undefined;
      return isChained ? [{ episode, reason: 'superseded' }] : [];
    }),
  );
  return found.flat();
}

interface Doubled {
  readonly episode: EpisodeOfCare;
  readonly reason: ChainReason | 'superseded';
}

async function laterStayOf(parts: Parts, episode: EpisodeOfCare): Promise<ChainReason | undefined> {
  const encounter = await readResource(parts.store, 'Encounter', encounterOfEpisode(episode));
  const facts = encounter && (await gatherFacts(parts, encounter, { kept: keptFor(episode, encounter) }));
  return facts && stayAfter(parts, facts.context);
}
