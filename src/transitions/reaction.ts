// What a log entry leads to: changes to commit, and what to tell once they are.
import type { EpisodeOfCare } from '@medplum/fhirtypes';
import type { TransitionReason } from '../care/concept.ts';
import { encounterOfEpisode } from '../care/transition/episode.ts';
import type { Change } from '../fhir/change.ts';
import type { Outcome, Statement, Store } from '../store/store.ts';
import type { TransitionEvent } from './events.ts';
import { readLivePlan } from './live-plan.ts';
import { planWithdrawal } from './withdraw.ts';

export interface Reaction {
  readonly changes: readonly Change[];
  /** @param outcomes of the changes, in their order */
  readonly events: (outcomes: readonly Outcome[]) => readonly TransitionEvent[];
  /** Row changes of the same commit; only next to changes. */
  readonly alongside?: readonly Statement[];
}

export const NOTHING: Reaction = { changes: [], events: () => [] };

/** One reaction that does both; their changes must not touch the same resource. */
export function both(first: Reaction, second: Reaction): Reaction {
  const split = first.changes.length;
  return {
    changes: [...first.changes, ...second.changes],
    alongside: [...(first.alongside ?? []), ...(second.alongside ?? [])],
    events: (outcomes) => [...first.events(outcomes.slice(0, split)), ...second.events(outcomes.slice(split))],
  };
}

/** Whether the two cannot be one reaction. */
export function touchesSame(first: Reaction, second: Reaction): boolean {
  const touched = new Set(first.changes.flatMap(targetOf));
  return second.changes.flatMap(targetOf).some((target) => touched.has(target));
}

function targetOf(change: Change): string[] {
  return change.op === 'update' ? [`${change.resource.resourceType}/${change.resource.id}`] : [];
}

/** Ends transitions that a later stay took the place of, each for its reason. */
export async function withdrawEach(
  { store }: { readonly store: Store },
  superseded: readonly { readonly episode: EpisodeOfCare; readonly reason: TransitionReason }[],
  now: Temporal.Instant,
): Promise<Reaction> {
  let reaction = NOTHING;
  for (const { episode, reason } of superseded) {
    reaction = both(reaction, await withdrawAll(store, [episode], reason, now));
  }
  return reaction;
}

/** Takes transitions back. */
export async function withdrawAll(
  store: Store,
  episodes: readonly EpisodeOfCare[],
  reason: TransitionReason,
  now: Temporal.Instant,
): Promise<Reaction> {
  let reaction = NOTHING;
  for (const episode of episodes) {
    const changes = planWithdrawal(await readLivePlan(store, episode), reason, now);
    const encounter = encounterOfEpisode(episode) ?? '';
    const event: TransitionEvent = { kind: 'transition-withdrawn', episode: episode.id ?? '', encounter, reason };
    reaction = both(reaction, { changes, events: () => [event] });
  }
  return reaction;
}
