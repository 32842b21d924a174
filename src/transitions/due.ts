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

/** One pass's part of the queue, in order. */
interface Lane {
  readonly pass: Pass;
  readonly waiting: Due[];
  cursor: string | undefined;
  hasMore: boolean;
}

/** Of what is due at `now`, `size` at a time. What becomes due by acting on it is not among them. */
export async function* dueBatches(parts: Parts, now: Temporal.Instant, size: number): AsyncGenerator<Due[]> {
  const lanes = PASSES.map((pass): Lane => ({ pass, waiting: [], cursor: undefined, hasMore: true }));
  for (;;) {
    for (const lane of lanes) if (lane.hasMore && lane.waiting.length < size) await fill(parts, lane, now, size);
    const first = lanes.flatMap(({ waiting }) => waiting).sort((a, b) => a.at - b.at);
    const batch = first.slice(0, size);
    if (batch.length === 0) return;
    const taken = new Set(batch);
    for (const { waiting } of lanes) waiting.splice(0, waiting.filter((due) => taken.has(due)).length);
    yield batch;
  }
}

export async function isAnythingDue(parts: Parts, now: Temporal.Instant): Promise<boolean> {
  for await (const _ of dueBatches(parts, now, 1)) return true;
  return false;
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
