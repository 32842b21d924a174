// Where the sandbox stands, in three lines.
import { findResources } from '../../care/stored.ts';
import { IDENTIFIER } from '../../care/systems.ts';
import type { Store } from '../../store/store.ts';
import { counted, followUpOf, isLate, nameOf } from './facts.ts';
import { localMoment } from './page.ts';

const OPEN = 'requested,received,accepted,ready,in-progress,on-hold';

/** Plans, open follow-ups and the next deadline; `link` makes a resource's URL. */
export async function statusLines(
  store: Store,
  zone: string,
  link: (type: string, id: string) => string,
): Promise<string[]> {
  const plans = await findResources(store, 'CarePlan', { status: 'active' });
  const found = await findResources(store, 'Task', { status: OPEN, identifier: `${IDENTIFIER.followUp}|` });
  const tasks = found.flatMap((task) => {
    const told = followUpOf(task);
    return told ? [{ id: task.id ?? '', ...told }] : [];
  });
  const overdue = tasks.filter(isLate).length;
  const lines = [
    `  ${counted(plans.length, 'active plan')}, ${counted(tasks.length, 'open follow-up')}, ${overdue} overdue`,
  ];
  const waiting = tasks.flatMap((task) =>
    task.deadline && !isLate(task) ? [{ ...task, deadline: task.deadline }] : [],
  );
  const [next] = waiting.sort((a, b) => Temporal.Instant.compare(a.deadline, b.deadline));
  if (next) {
    const who = await nameOf(store, next.patient);
    lines.push(
      `  next deadline ${localMoment(next.deadline, zone)}: ${next.title} for ${who}`,
      `  ${link('Task', next.id)}`,
    );
  }
  return lines;
}
