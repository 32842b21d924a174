// The command line of `npm run bench`.
import { parseArgs } from 'node:util';
import type { EngineName } from './workloads/workload.ts';

export interface BenchOptions {
  readonly size: number;
  /** Cases beside them, loaded straight into the store. */
  readonly cases: number;
  readonly engine: EngineName;
  /** Groups or names; empty for all. */
  readonly workloads: readonly string[];
  /** Of each measured part. */
  readonly seconds: number;
  /** Puts the tables into docs/performance.md. */
  readonly write: boolean;
  /** Profiles the workloads instead of measuring them. */
  readonly profile: boolean;
  /** Folder of a database that is kept, and used again when it holds the same population. */
  readonly keep: string | undefined;
}

export const USAGE = `npm run bench -- [options]
  --size N        resources to load                       60000
  --cases N       cases to load besides, for M            0
  --engine NAME   sqlite or postgres                      sqlite
  --workload W    R, C, F, M, S, H, W1 to W5, or one row (w3-token); may be repeated
  --seconds N     of each measured part                   2
  --keep FOLDER   keep the database there, and use it again
  --profile W     where the time of a workload goes, by function and by module
  --write         put the tables into docs/performance.md`;

/** @throws Error with a sentence for a value that makes no sense */
export function readOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      size: { type: 'string', default: '60000' },
      cases: { type: 'string', default: '0' },
      engine: { type: 'string', default: 'sqlite' },
      workload: { type: 'string', multiple: true, default: [] },
      seconds: { type: 'string', default: '2' },
      keep: { type: 'string' },
      profile: { type: 'string', multiple: true, default: [] },
      write: { type: 'boolean', default: false },
    },
  });
  const { engine } = values;
  if (engine !== 'sqlite' && engine !== 'postgres') throw new Error(`--engine is sqlite or postgres, not ${engine}.`);
  return {
    size: positive('size', values.size),
    cases: values.cases === '0' ? 0 : positive('cases', values.cases),
    engine,
    workloads: [...values.workload, ...values.profile].flatMap((each) => each.split(',')),
    seconds: positive('seconds', values.seconds),
    write: values.write,
    profile: values.profile.length > 0,
    keep: values.keep,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} must be a number above 0, not ${text}.`);
  return value;
}
