// What is due, the most overdue first across all passes and facilities, read from the store page by page.
import type { Task } from '@medplum/fhirtypes';
import { toInstant } from '../care/local-time.ts';
import { parseVersion } from '../care/stored.ts';
import type { Parts } from './parts.ts';
import { PASSES, type Pass } from './passes.ts';

export interface Due {
  readonly pass: Pass;
  readonly task: Task;
  /** Since when, epoch milliseconds. */
  readonly at: number;
}

export interface DueQueue {
  /** The `count` most overdue of what is left, fewer at the end. */
  next(count: number): Promise<Due[]>;
}

/** One pass's part of the queue, in order. */
interface Lane {
  readonly pass: Pass;
  readonly waiting: Due[];
  cursor: string | undefined;
  hasMore: boolean;
}

/** Of what is due at `now`; what becomes due by acting on it is in the next queue. */
export function dueQueue(parts: Parts, now: Temporal.Instant): DueQueue {
  const lanes = PASSES.map((pass): Lane => ({ pass, waiting: [], cursor: undefined, hasMore: true }));
  return {
    async next(count) {
      for (const lane of lanes) if (lane.hasMore && lane.waiting.length < count) await fill(parts, lane, now, count);
      const first = lanes.flatMap(({ waiting }) => waiting).sort((a, b) => a.at - b.at);
      const taken = first.slice(0, count);
      for (const { waiting } of lanes) waiting.splice(0, waiting.filter((due) => taken.includes(due)).length);
      return taken;
    },
  };
}

/** When the most overdue of all became due; undefined when nothing is. */
export async function earliestDue(parts: Parts, now: Temporal.Instant): Promise<Temporal.Instant | undefined> {
  const [first] = await dueQueue(parts, now).next(1);
  return first && Temporal.Instant.fromEpochMilliseconds(first.at);
}

async function fill({ store, parse }: Parts, lane: Lane, now: Temporal.Instant, count: number): Promise<void> {
  const { pass, waiting, cursor } = lane;
  const { parameter } = pass;
  // To the second, as windows are: one that opens now counts.
  const until = `le${now.toString({ smallestUnit: 'second' })}`;
  const query = parse(
    `Task?${new URLSearchParams({ [parameter]: until, _sort: parameter, _count: `${count}`, _total: 'none' })}`,
  );
  const { items, next } = await store.search(cursor === undefined ? query : { ...query, cursor });
  for (const item of items) {
    const task = parseVersion(item, 'Task');
    waiting.push({ pass, task, at: dueSince(pass.at(task)) });
  }
  lane.cursor = next;
  lane.hasMore = next !== undefined;
}

/** A time that cannot be read holds nobody up: the act itself fails, and that is told. */
function dueSince(at: string | undefined): number {
  try {
    return toInstant(at ?? '1970', 'UTC').epochMilliseconds;
  } catch {
    return 0;
  }
}
