// What finds a follow-up again when its time comes (key, plan, window, clock) is on the Task, where a client or another
// server may lose it by sending back a Task without what it does not know.
import type { Period, Task } from '@medplum/fhirtypes';
import { EXTENSION, IDENTIFIER } from '../systems.ts';
import { followUpKey, formatKey } from './follow-up.ts';

/**
 * The Task with what it has lost since a version before; undefined when it has lost nothing. Another deadline is no loss,
 * none is.
 */
export function withLostSchedule(task: Task, before: Task): Task | undefined {
  const [key, known] = [followUpKey(task), followUpKey(before)];
  if (!known) return undefined;
  const lost: Partial<Task> = {
    ...(key && formatKey(key) === formatKey(known) ? {} : { identifier: identifiersOf(task, before) }),
    ...(task.groupIdentifier || !before.groupIdentifier ? {} : { groupIdentifier: before.groupIdentifier }),
    ...(task.basedOn || !before.basedOn ? {} : { basedOn: before.basedOn }),
    ...lostWindow(task, before),
    ...lostClock(task, before),
  };
  return Object.keys(lost).length === 0 ? undefined : { ...task, ...lost };
}

function identifiersOf(task: Task, before: Task): NonNullable<Task['identifier']> {
  const isKey = ({ system }: { system?: string }) => system === IDENTIFIER.followUp;
  return [...(before.identifier ?? []).filter(isKey), ...(task.identifier ?? []).filter((one) => !isKey(one))];
}

function lostWindow({ restriction }: Task, before: Task): Pick<Task, 'restriction'> {
  const { start, end, extension }: Period = before.restriction?.period ?? {};
  const period = restriction?.period;
  const lost: Period = {
    ...(start && !period?.start ? { start } : {}),
    ...(end && !period?.end ? { end, ...(extension ? { extension } : {}) } : {}),
  };
  return Object.keys(lost).length === 0 ? {} : { restriction: { ...restriction, period: { ...period, ...lost } } };
}

function lostClock({ extension = [] }: Task, before: Task): Pick<Task, 'extension'> {
  const isClock = ({ url }: { url?: string }) => url === EXTENSION.clock;
  const clock = before.extension?.find(isClock);
  return clock && !extension.some(isClock) ? { extension: [...extension, clock] } : {};
}
