// Follow-ups of a transition, by deadline: where each stands, what was tried and what may happen to it.

import { isTerminal } from '../../fhir/status/task.ts';
import { codedOf } from '../coded.ts';
import { judgeContact } from '../contacts/counted-contact.ts';
import { namedAmong } from '../contacts/named-among.ts';
import { findReadable } from '../find-readable.ts';
import { linkedOf } from '../linked.ts';
import { notesOf } from '../note.ts';
import { readDelivery } from '../notices/deliver-notice.ts';
import { present, some } from '../present.ts';
import type { Kept, Records } from '../records.ts';
import { IDENTIFIER } from '../systems.ts';
import { countingFacts, isToReach } from '../transition/attempts.ts';
import { creditedAt } from '../transition/credit.ts';
import { isEscalation } from '../transition/escalation.ts';
import { followUpKey } from '../transition/follow-up.ts';
import { clockOf } from '../transition/follow-up-clock.ts';
import { LIFE, stageOf } from '../transition/life.ts';
import { followUpAtHand, type OnFollowUp, transitionAtHand } from './follow-up-at-hand.ts';
import type { FollowUpFilter, FollowUpView } from './follow-up-schema.ts';

/** @throws Fault not-found */
export async function listFollowUps(
  records: Records,
  transition: string,
  { stage, open = false }: FollowUpFilter = {},
): Promise<{ readonly items: FollowUpView[] }> {
  await transitionAtHand(records, transition);
  const tasks = await records.find('Task', {
    'group-identifier': `${IDENTIFIER.transitionPlan}|${transition}`,
    _sort: 'deadline',
  });
  const items = tasks
    .filter((task) => {
      const key = followUpKey(task);
      return key !== undefined && !isEscalation(key);
    })
    .map(viewFollowUp)
    .filter((view) => (stage === undefined || view.stage === stage) && (!open || view.can.length > 0));
  return { items };
}

/** @throws Fault not-found */
export async function showFollowUp(records: Records, on: Pick<OnFollowUp<unknown>, 'transition' | 'task'>) {
  const { task } = await followUpAtHand(records, on);
  return present<FollowUpView>({ ...viewFollowUp(task), notCounted: await notCounted(records, task) });
}

/** As far as the caller may see the contacts. */
async function notCounted(records: Records, task: Kept<'Task'>): Promise<FollowUpView['notCounted']> {
  if (!isToReach(task)) return undefined;
  const contacts = await findReadable(records, 'Communication', { 'based-on': `Task/${task.id}` });
  const facts = countingFacts(task, await namedAmong(records, contacts));
  return some(
    contacts.flatMap((contact) => {
      const { because } = judgeContact(contact, facts);
      return because === undefined ? [] : [{ contact: { reference: `Communication/${contact.id}` }, because }];
    }),
  );
}

function viewFollowUp(task: Kept<'Task'>): FollowUpView {
  const { id, meta, status, statusReason, code, description, priority, owner, restriction, executionPeriod } = task;
  const clock = clockOf(task);
  const stage = stageOf(task) ?? 'scheduled';
  const attempts = (task.output ?? []).flatMap(({ valueReference }) =>
    valueReference?.reference?.startsWith('Communication/') ? (linkedOf(valueReference) ?? []) : [],
  );
  const isOver = isTerminal(status);
  return present<FollowUpView>({
    id,
    version: meta.versionId,
    step: followUpKey(task)?.step ?? '',
    stage,
    status,
    reason: codedOf(statusReason),
    kind: codedOf(code),
    description,
    priority,
    owner: linkedOf(owner),
    start: restriction?.period?.start,
    due: restriction?.period?.end,
    done: executionPeriod?.end,
    remindAt: isOver ? undefined : clock.remindAt,
    escalateAt: isOver ? undefined : clock.escalateAt,
    expireAt: isOver ? undefined : clock.expireAt,
    attempts,
    attemptsWanted: clock.attempts,
    credited: creditedAt(task),
    delivery: readDelivery(task),
    notes: notesOf(task.note),
    can: isOver ? [] : Object.keys(LIFE[stage]),
  });
}
