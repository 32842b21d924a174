// What the processes of group F share: how they open Baton, and when what they look at is due.
import { pino } from 'pino';
import { type App, build } from '../../../src/app.ts';
import { systemClock } from '../../../src/clock.ts';
import { loadConfig } from '../../../src/config.ts';

export const DUE = 1_000;
/** Sweeps that find so many due: one at a start, and those of another process. */
export const SWEEPS = 8;
export const NURSE = { reference: 'Practitioner/bench', kind: 'service' } as const;

/** When the n-th thousand open. */
export function opensAt(discharge: Temporal.Instant, n: number): Temporal.Instant {
  return discharge.add({ minutes: 5 * n });
}

export function second(instant: Temporal.Instant): string {
  return instant.toString({ smallestUnit: 'second' });
}

export function open(url: string, folder: string): Promise<App> {
  const config = loadConfig({
    BATON_DATABASE_URL: url,
    BATON_DATA_DIR: folder,
    BATON_SANDBOX: 'off',
    BATON_MLLP_PORT: 'off',
  });
  const log = pino({ level: 'error' }, pino.destination(2));
  return build(config, { clock: systemClock(), fetch, log, write: () => undefined });
}
