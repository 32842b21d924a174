// A whole transition ended by a person: the patient opted out, another provider bills. What is left of its plan ends with it
// a moment later (src/transitions/on-episode.ts).
import { Fault } from '../../fault.ts';
import { present } from '../present.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { endEpisode, isLive, withdrawnBecause } from '../transition/episode.ts';
import { transitionAtHand } from './follow-up-at-hand.ts';
import type { TransitionWithdrawal, WithdrawnTransition } from './follow-up-schema.ts';

/** @throws Fault not-found; unprocessable when it is over */
export async function withdrawTransition(
  records: Records,
  { now }: Caller,
  { transition, body: { reason } }: { readonly transition: string; readonly body: TransitionWithdrawal },
): Promise<Planned> {
  const { episode } = await transitionAtHand(records, transition);
  if (!isLive(episode)) {
    throw new Fault('unprocessable', `The transition is ${episode.status}; nothing is left to withdraw.`, {
      expression: 'EpisodeOfCare.status',
      code: 'business-rule',
    });
  }
  const resource = endEpisode(episode, now, reason);
  return { changes: [{ op: 'update', resource, ifMatch: episode.meta.versionId }], about: 0 };
}

/** @throws Fault not-found */
export async function showWithdrawn(records: Records, transition: string): Promise<WithdrawnTransition> {
  const { episode } = await transitionAtHand(records, transition);
  const { id, meta, status } = episode;
  return present<WithdrawnTransition>({ id, version: meta.versionId, status, reason: withdrawnBecause(episode) });
}
