// What has been told of the follow-ups of a plan: who knows of which, and how it goes with those that another plan takes over.
import type { CommunicationRequest, ServiceRequest, Task } from '@medplum/fhirtypes';
import { findResources } from '../care/stored.ts';
import { IDENTIFIER } from '../care/systems.ts';
import { escalationKey } from '../care/transition/escalation.ts';
import { type FollowUpKey, followUpKey, formatKey, type PlanReferences } from '../care/transition/follow-up.ts';
import { clockOf } from '../care/transition/follow-up-clock.ts';
import { aboutKey, messageKey } from '../care/transition/reminder.ts';
import { TOLD, type Told } from '../care/transition/step-life.ts';
import type { Store } from '../store/store.ts';
import type { LivePlan } from './live-plan.ts';

/** Everything that was told of the follow-ups of a plan, whatever became of it. */
export async function messagesOf(store: Store, { carePlan }: LivePlan): Promise<CommunicationRequest[]> {
  if (!carePlan) return [];
  return findResources(store, 'CommunicationRequest', { 'based-on': `CarePlan/${carePlan.id}` });
}

const keyOf = ({ identifier }: CommunicationRequest) =>
  identifier?.find(({ system }) => system === IDENTIFIER.reminder)?.value ?? '';

/** Who has been told that it is late, since it became so. */
export function toldOf(task: Task, messages: readonly CommunicationRequest[]): ReadonlySet<Told> {
  const key = followUpKey(task);
  const keys = new Set(messages.map(keyOf));
  const { cycle } = clockOf(task);
  const message = (followUp: FollowUpKey, who: Told) =>
    who === 'supervisor' ? formatKey(escalationKey(followUp, cycle)) : messageKey(formatKey(followUp), who, cycle);
  return new Set(TOLD.filter((who) => key && keys.has(message(key, who))));
}

/** What was told of the follow-ups that go on is not told again: it goes with them. */
export function movedMessages(
  messages: readonly CommunicationRequest[],
  carried: readonly (Task | ServiceRequest)[],
  { episode, carePlan }: PlanReferences,
): CommunicationRequest[] {
  const keys = new Map(
    carried.flatMap((one): [string, FollowUpKey][] => {
      const key = one.resourceType === 'Task' ? followUpKey(one) : undefined;
      return key ? [[formatKey(key), key]] : [];
    }),
  );
  return messages.flatMap((message): CommunicationRequest[] => {
    const about = aboutKey(keyOf(message));
    const key = keys.get(about);
    if (!key) return [];
    const identifier = message.identifier?.map((one) =>
      one.system === IDENTIFIER.reminder
        ? { ...one, value: formatKey({ ...key, episode }) + (one.value ?? '').slice(about.length) }
        : one,
    );
    return [{ ...message, ...(identifier ? { identifier } : {}), basedOn: [carePlan] }];
  });
}
