// What would be decided of a transition now, by what the store holds meanwhile.
import type { EpisodeOfCare } from '@medplum/fhirtypes';
import { readResource } from '../care/stored.ts';
import { isDischarged } from '../care/transition/discharge.ts';
import { encounterOfEpisode } from '../care/transition/episode.ts';
import { decide } from './decide.ts';
import { gatherFacts } from './facts.ts';
import { keptFor } from './left-at.ts';
import type { Parts } from './parts.ts';

/** Undefined when it would not begin. */
export async function decideAgain(parts: Parts, episode: EpisodeOfCare) {
  const encounter = await readResource(parts.store, 'Encounter', encounterOfEpisode(episode));
  if (!encounter || !isDischarged(encounter)) return undefined;
  const facts = await gatherFacts(parts, encounter, { kept: keptFor(episode, encounter) });
  const decision = facts && decide(facts, parts.rules, undefined);
  return facts && decision?.start ? { encounter, facts, decision } : undefined;
}
