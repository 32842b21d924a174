// How far the sandbox day has come, remembered over restarts: the steps that are done and the part of the log that has
// been told.
import { join } from 'node:path';
import { readJsonFile, writeJsonFile } from './durable-file.ts';

export interface DayProgress {
  /** True when an earlier run of the program finished something. */
  readonly resumed: boolean;
  has(step: string): boolean;
  /** On disk when it returns. */
  add(step: string): void;
  /** Log sequence up to which the story has been told. */
  told(): number;
  /** On disk when it returns. */
  tellUpTo(sequence: number): void;
}

/** @param dataDir undefined keeps nothing */
export function openDayProgress(dataDir: string | undefined): DayProgress {
  const path = dataDir === undefined ? undefined : join(dataDir, 'sandbox-day.json');
  const saved = path === undefined ? undefined : readJsonFile(path);
  const { finished = [], told = 0 } = (saved ?? {}) as { finished?: string[]; told?: number };
  const steps = new Set(finished);
  let sequence = told;
  const save = () => {
    if (path !== undefined) writeJsonFile(path, { finished: [...steps], told: sequence });
  };
  return {
    resumed: steps.size > 0,
    has: (step) => steps.has(step),
    add(step) {
      steps.add(step);
      save();
    },
    told: () => sequence,
    tellUpTo(next) {
      if (next === sequence) return;
      sequence = next;
      save();
    },
  };
}
