// Whether there is anything left for Baton to do at this moment of the sandbox.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import type { Store } from '../store/store.ts';
import { counted } from './story/facts.ts';

/** A process that was killed during a sweep keeps the others from sweeping for half a minute. */
const PATIENCE_MS = 35_000;
const PAUSE_MS = 500;

/** Settles until no follow-up waits for the sweep, or patience ends. */
export async function settleWhatIsDue(
  store: Store,
  clock: Clock,
  settle: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const until = clock.real().add({ milliseconds: PATIENCE_MS });
  for (;;) {
    await settle();
    if (signal.aborted || !(await isSomethingDue(store, clock.now()))) return;
    if (Temporal.Instant.compare(clock.real(), until) > 0) return;
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => {});
  }
}

async function isSomethingDue(store: Store, now: Temporal.Instant): Promise<boolean> {
  const at = encodeURIComponent(`le${now}`);
  const waiting = await Promise.all(
    ['raise-at', 'remind-at', 'escalate-at', 'expire-at'].map((parameter) => store.find(`Task?${parameter}=${at}`)),
  );
  return waiting.some((tasks) => tasks.length > 0);
}

/** What is on its way, without what waits for a person to settle a conflict. */
const ON_THE_WAY = `SELECT COUNT(*) AS waiting FROM outbox WHERE state IN ('queued', 'sending') AND NOT EXISTS
  (SELECT 1 FROM conflict WHERE conflict.connection = outbox.connection AND conflict.type = outbox.type
    AND conflict.local_id = outbox.local_id AND conflict.state = 'open')`;

/** @throws Fault unavailable while changes are on their way to an external server */
export async function requireAllSent(store: Store): Promise<void> {
  const [row] = await store.query(ON_THE_WAY);
  const waiting = Number(row?.waiting ?? 0);
  if (waiting > 0) throw new Fault('unavailable', `${counted(waiting, 'change')} to be sent to the EHR.`);
}
