// The transitions of care of a case's patient, with their follow-ups: what src/transitions keeps, read only.
import Type, { type Static } from 'typebox';
import { Coded, codedOf } from '../coded.ts';
import { findReadable } from '../find-readable.ts';
import { LinkedOut, linkedOf } from '../linked.ts';
import type { Caller, Kept, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { CODE_SYSTEM, IDENTIFIER } from '../systems.ts';
import { encounterOfEpisode, isOfStay, withdrawnBecause } from '../transition/episode.ts';
import { isOverdue } from '../worklist/overdue.ts';
import { readCase } from './find-cases.ts';

const FollowUp = Type.Object({
  task: LinkedOut,
  kind: Type.Optional(Coded),
  description: Type.Optional(Type.String()),
  status: Type.String(),
  businessStatus: Type.Optional(Coded),
  owner: Type.Optional(LinkedOut),
  start: Type.Optional(Type.String()),
  due: Type.Optional(Type.String()),
  overdue: Type.Boolean(),
});

export const TransitionView = Type.Object({
  id: Type.String(),
  kind: Type.Enum(['transition', 'stay-notices']),
  status: Type.String(),
  reason: Type.Optional(Type.String({ description: 'Why it was withdrawn or never began' })),
  discharged: Type.Optional(Type.String()),
  admitted: Type.Optional(Type.String({ description: 'Of the notices of a stay' })),
  ended: Type.Optional(Type.String()),
  encounter: Type.Optional(LinkedOut),
  careManager: Type.Optional(LinkedOut),
  followUps: Type.Array(FollowUp),
});
export type TransitionView = Static<typeof TransitionView>;

export const TransitionList = Type.Object({ items: Type.Array(TransitionView) });
export type TransitionList = Static<typeof TransitionList>;

const KINDS = ['transition-of-care', 'stay-notices'];

/** Newest first; undefined when there is no such case, or the caller may not see it. */
export async function listTransitions(
  records: Records,
  caller: Caller,
  id: string,
): Promise<TransitionList | undefined> {
  const episode = await readCase(records, id);
  if (!episode) return undefined;
  const patient = `Patient/${idOf(episode.patient, 'Patient') ?? ''}`;
  const type = KINDS.map((kind) => `${CODE_SYSTEM.episodeType}|${kind}`).join(',');
  const transitions = await records.find('EpisodeOfCare', { patient, type, _sort: '-date' });
  const tasks =
    transitions.length === 0
      ? []
      : await findReadable(records, 'Task', {
          patient,
          'group-identifier': transitions.map((each) => `${IDENTIFIER.transitionPlan}|${each.id}`).join(','),
          _sort: 'deadline',
        });
  const byTransition = Map.groupBy(tasks, ({ groupIdentifier }) => groupIdentifier?.value);
  return { items: transitions.map((each) => transitionView(each, byTransition.get(each.id) ?? [], caller)) };
}

function transitionView(
  episode: Kept<'EpisodeOfCare'>,
  tasks: readonly Kept<'Task'>[],
  caller: Caller,
): TransitionView {
  const { id, status, period, careManager } = episode;
  const encounter = encounterOfEpisode(episode);
  return without({
    id,
    kind: isOfStay(episode) ? 'stay-notices' : 'transition',
    status,
    reason: withdrawnBecause(episode),
    discharged: isOfStay(episode) ? undefined : period?.start,
    admitted: isOfStay(episode) ? period?.start : undefined,
    ended: period?.end,
    encounter: encounter === undefined ? undefined : { reference: `Encounter/${encounter}` },
    careManager: linkedOf(careManager),
    followUps: tasks.map((task) =>
      without<Static<typeof FollowUp>>({
        task: { reference: `Task/${task.id}` },
        kind: codedOf(task.code),
        description: task.description,
        status: task.status,
        businessStatus: codedOf(task.businessStatus),
        owner: linkedOf(task.owner),
        start: task.restriction?.period?.start,
        due: task.restriction?.period?.end,
        overdue: isOverdue(task, caller),
      }),
    ),
  });
}

/** Without the members that have no value, as JSON leaves them out. */
function without<T extends object>(value: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
