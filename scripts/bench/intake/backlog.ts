// How long it takes until what was only accepted is applied, by the rows in the database.
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';

export interface AppliedBacklog {
  /** Accepted and not applied when the senders stopped. */
  readonly left: number;
  readonly seconds: number;
}

/** Looked for so often, in milliseconds. */
const LOOK = 100;

/** Resolves when nothing waits to be applied. */
export async function backlogApplied(file: string): Promise<AppliedBacklog> {
  const database = new DatabaseSync(file, { readOnly: true });
  const count = database.prepare("SELECT COUNT(*) AS n FROM delivery WHERE outcome = 'CA'");
  const waiting = () => Number(count.get()?.n ?? 0);
  try {
    const [left, begun] = [waiting(), performance.now()];
    while (waiting() > 0) await pause(LOOK);
    return { left, seconds: (performance.now() - begun) / 1000 };
  } finally {
    database.close();
  }
}
