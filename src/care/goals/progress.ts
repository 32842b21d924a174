// How a goal came along: Observations that it refers to as its outcome. The history is what they say, in order of time, so
// that measurements which came from elsewhere stand in it as well.
import { randomUUID } from 'node:crypto';
import type { Goal, Observation } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { parseLiteral } from '../../fhir/references.ts';
import { caseAtHand, workableCase } from '../case-at-hand.ts';
import { codedOf, conceptOf } from '../coded.ts';
import { concept, hasCode } from '../concept.ts';
import { asStart, nowOf, requirePast, today } from '../given-time.ts';
import { knownResources, OWNERS } from '../known-resource.ts';
import { linkedOf } from '../linked.ts';
import { choiceOf, valueIn } from '../measured-value.ts';
import { notesOf, withNote } from '../note.ts';
import { CLAIMS } from '../plans/claims.ts';
import { followed } from '../plans/followed.ts';
import { itemOfCase } from '../plans/item-of-case.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { CODE_SYSTEM } from '../systems.ts';
import { isPursued } from './goal.ts';
import { achievementOf, codeOrWords } from './goal-codes.ts';
import type { ProgressInput, ProgressView } from './goal-schema.ts';

const PERFORMERS: ReadonlySet<string> = new Set(OWNERS);

/** The goal is what the command is about. @throws Fault not-found; unprocessable naming the member */
export async function recordProgress(
  records: Records,
  caller: Caller,
  { caseId, id, body }: { readonly caseId: string; readonly id: string; readonly body: ProgressInput },
): Promise<Planned> {
  const about = await workableCase(records, caseId);
  const goal = await itemOfCase(records, about, 'Goal', id);
  if (!isPursued(goal)) {
    throw new Fault('unprocessable', `The goal is ${goal.lifecycleStatus}; it makes no progress any more.`, {
      expression: 'Goal.lifecycleStatus',
      code: 'business-rule',
    });
  }
  if (body.at) requirePast(body.at, 'at', caller);
  if (body.value && !body.measure) {
    throw new Fault('unprocessable', 'Say what was measured: measure is missing.', {
      expression: 'measure',
      code: 'required',
    });
  }
  await knownResources(records, about, body.shownBy, ['Observation'], 'shownBy');
  const observationId = randomUUID();
  return {
    changes: [
      { op: 'update', resource: withProgress(goal, observationId, body, caller), ifMatch: goal.meta.versionId },
      { op: 'create', id: observationId, resource: observationOf(goal, body, caller) },
    ],
    about: 0,
  };
}

function withProgress(
  goal: Goal,
  observationId: string,
  { achievement, at, shownBy = [] }: ProgressInput,
  caller: Caller,
): Goal {
  const known = new Set(goal.outcomeReference?.map(({ reference }) => reference));
  const shown = shownBy.filter(({ reference }) => !known.has(reference));
  const day = at?.slice(0, 10) ?? today(caller);
  // Progress that is told late does not take back what was seen since.
  const isLatest = goal.statusDate === undefined || goal.statusDate <= day;
  return {
    ...goal,
    ...(achievement && isLatest ? { achievementStatus: achievementOf(achievement), statusDate: day } : {}),
    outcomeReference: [...(goal.outcomeReference ?? []), ...shown, { reference: `Observation/${observationId}` }],
  } as Goal;
}

export function observationOf(
  { id, subject }: Pick<Goal, 'id' | 'subject'>,
  { achievement, at, measure, value, shownBy, note }: ProgressInput,
  caller: Caller,
): Observation {
  const type = parseLiteral(caller.who.reference ?? '')?.type ?? '';
  return {
    resourceType: 'Observation',
    meta: { profile: [...CLAIMS.progress] },
    status: 'final',
    code: measure ? conceptOf(measure) : concept(CODE_SYSTEM.goalProgress, 'progress', 'Progress'),
    subject,
    focus: [{ reference: `Goal/${id}` }],
    effectiveDateTime: at ? asStart(at, caller.zone) : nowOf(caller),
    ...(PERFORMERS.has(type) ? { performer: [caller.who] } : {}),
    ...(value ? choiceOf('value', value) : {}),
    ...(shownBy ? { derivedFrom: shownBy } : {}),
    ...(achievement
      ? {
          component: [
            {
              code: concept(CODE_SYSTEM.goalProgress, 'achievement', 'Achievement'),
              valueCodeableConcept: achievementOf(achievement),
            },
          ],
        }
      : {}),
    ...withNote(undefined, caller, note),
  } as Observation;
}

/** Oldest first. @throws Fault not-found */
export async function listProgress(records: Records, caseId: string, id: string): Promise<ProgressView[]> {
  const goal = await itemOfCase(records, await caseAtHand(records, caseId), 'Goal', id);
  return progressOf(records, goal);
}

/** Observations that are gone, or that the caller may not see, are left out. */
export async function progressOf(records: Records, goal: Goal): Promise<ProgressView[]> {
  const found = await followed(records, goal.outcomeReference ?? [], (type) => type === 'Observation');
  const views = found.map((observation) => viewProgress(observation as Kept<'Observation'>));
  return views.sort((one, other) => compareTimes(one.at, other.at));
}

export function viewProgress(observation: Kept<'Observation'>): ProgressView {
  const { component = [], effectiveDateTime, effectiveInstant, effectivePeriod, issued } = observation;
  const at = effectiveDateTime ?? effectiveInstant ?? effectivePeriod?.start ?? issued;
  const isOwn = hasCode(observation.code, CODE_SYSTEM.goalProgress, 'progress');
  const measure = isOwn ? undefined : codedOf(observation.code);
  const value = valueIn('value', observation);
  const judged = component.find(({ code }) => hasCode(code, CODE_SYSTEM.goalProgress, 'achievement'));
  const achievement = codeOrWords(judged?.valueCodeableConcept);
  return {
    id: observation.id,
    ...(at ? { at } : {}),
    ...(achievement ? { achievement } : {}),
    ...(measure ? { measure } : {}),
    ...(value ? { value } : {}),
    by: (observation.performer ?? []).flatMap((one) => linkedOf(one) ?? []),
    notes: notesOf(observation.note),
  };
}

/** Times may have different offsets; what has none comes first. */
function compareTimes(one: string | undefined, other: string | undefined): number {
  return epochOf(one) - epochOf(other);
}

function epochOf(time: string | undefined): number {
  if (time === undefined) return -Infinity;
  return time.includes('T')
    ? Temporal.Instant.from(time).epochMilliseconds
    : Temporal.PlainDate.from(
        time.length === 4 ? `${time}-01-01` : time.length === 7 ? `${time}-01` : time,
      ).toZonedDateTime('UTC').epochMilliseconds;
}
