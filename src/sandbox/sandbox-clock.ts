// The sandbox's business clock: it starts on the morning of the scripted day, can be moved forward, and never goes back,
// not even over a restart.
import { join } from 'node:path';
import { type MovableClock, movableClock } from '../clock.ts';
import { readJsonFile, writeJsonFile } from './durable-file.ts';

/** Friday before Thanksgiving, a quarter past eight in New York, an hour before the first admission. */
export const FIRST_MORNING = Temporal.Instant.from('2026-11-20T13:15:00Z');

/** How often the position is saved, and so how far a killed process may find itself ahead at its next start. */
const SAVE_EVERY_MS = 30_000;

export interface SandboxClock extends MovableClock {
  /** Saves the exact position; call it at the very end of a clean stop. */
  stop(): void;
}

/**
 * What is saved while running lies one saving interval ahead, so that a start after `kill -9` never gives a moment that
 * was already given.
 * @param dataDir undefined keeps nothing
 */
export function openSandboxClock(dataDir: string | undefined, firstMorning = FIRST_MORNING): SandboxClock {
  const path = dataDir === undefined ? undefined : join(dataDir, 'sandbox-clock.json');
  const clock = movableClock(path === undefined ? firstMorning : (savedPosition(path) ?? firstMorning));
  const save = (ahead: number) => {
    if (path !== undefined) writeJsonFile(path, { now: clock.now().add({ milliseconds: ahead }).toString() });
  };
  const saveAhead = () => save(2 * SAVE_EVERY_MS);
  saveAhead();
  const timer = setInterval(saveAhead, SAVE_EVERY_MS);
  timer.unref();
  return {
    ...clock,
    moveTo(instant) {
      const now = clock.moveTo(instant);
      saveAhead();
      return now;
    },
    stop() {
      clearInterval(timer);
      save(0);
    },
  };
}

function savedPosition(path: string): Temporal.Instant | undefined {
  const saved = readJsonFile(path) as { now?: string } | undefined;
  return saved?.now === undefined ? undefined : Temporal.Instant.from(saved.now);
}
