// Panels and stratification, kept current: from the log what changed, once a day what time changed.
import type { Logger } from 'pino';
import type { Panels } from '../care/panels/panels.ts';
import type { RuleQuery } from '../care/panels/rule.ts';
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import type { SearchQuery } from '../fhir/search/query.ts';
import type { Store } from '../store/store.ts';
import { followLog } from './follow.ts';
import type { Parts } from './parts.ts';
import { type RegistryStatus, statusOf } from './status.ts';
import { sweepPatients } from './sweep.ts';

export interface RegistryOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** IANA time zone in which days begin and end. */
  readonly zone: string;
  readonly panels: Panels;
  /** The search engine's parser. */
  readonly parse: (query: string) => SearchQuery;
  readonly log: Logger;
}

export interface Registry {
  /** Evaluates whoever the log says was touched; resolves to how many entries that were. */
  run(): Promise<number>;
  /** The next part of today's look at every patient; resolves to how many that were. */
  sweep(): Promise<number>;
  /** Both. */
  tick(): Promise<void>;
  status(): Promise<RegistryStatus>;
  /** Begins nothing new. What is under way ends soon. */
  stop(): void;
}

/** @throws Fault unprocessable when a rule asks for something that cannot be searched for */
export function createRegistry(options: RegistryOptions): Registry {
  const stopped = new AbortController();
  let failures = 0;
  const failed = () => {
    failures += 1;
  };
  const parts: Parts = { ...options, failed, signal: stopped.signal };
  checkQueries(parts);
  let last: Promise<unknown> = Promise.resolve();
  /** One after the other: two at a time would only get into each other's way. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  }
  const run = () => inTurn(() => followLog(parts));
  const sweep = () => inTurn(() => sweepPatients(parts));
  return {
    run,
    sweep,
    async tick() {
      await run();
      await sweep();
    },
    status: statusOf(parts, () => failures),
    stop: () => stopped.abort(),
  };
}

function checkQueries({ panels: { panels, methods }, parse, clock, zone }: Parts): void {
  const facts = { patient: { resourceType: 'Patient' as const, id: 'nobody' }, now: clock.now(), zone };
  for (const { file, name, search } of [...panels, ...methods].flatMap((one): readonly RuleQuery[] => one.queries)) {
    const text = search(facts);
    try {
      parse(text);
    } catch (cause) {
      const because = cause instanceof Error ? cause.message : '';
      throw new Fault('unprocessable', `${file}: query ${name} cannot be searched for: ${text} (${because})`, {
        cause,
      });
    }
  }
}
