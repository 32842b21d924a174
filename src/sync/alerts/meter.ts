// Counts what happens on connections since the process started, for whoever scrapes. Never ids, never content.
// docs/sync-spec.md#I23
import type { Exchange } from '../../remote/fhir-client.ts';

/** What came of looking for an interrupted create. */
export type ProbeResult = 'found' | 'absent' | 'not-yet-visible' | 'cannot-look' | 'failed';

export interface Count {
  readonly connection: string;
  /** Class of an exchange, kind of an event, result of a probe. */
  readonly what: string;
  readonly value: number;
}

export interface Meter {
  exchange(connection: string, exchange: Exchange): void;
  event(event: { readonly connection: string; readonly kind: string }): void;
  echo(connection: string): void;
  probe(connection: string, result: ProbeResult): void;
  read(family: CountFamily): Count[];
  /** Told the method and the seconds of every exchange from now on. */
  listen(observe: (connection: string, method: string, seconds: number) => void): void;
}

export type CountFamily = 'exchanges' | 'events' | 'echoes' | 'probes';

export function createMeter(): Meter {
  const counts = new Map<CountFamily, Map<string, Count>>();
  const listeners: Parameters<Meter['listen']>[0][] = [];
  const count = (family: CountFamily, connection: string, what: string) => {
    const known = counts.get(family) ?? new Map<string, Count>();
    const key = `${connection} ${what}`;
    known.set(key, { connection, what, value: (known.get(key)?.value ?? 0) + 1 });
    counts.set(family, known);
  };
  return {
    exchange(connection, { method, failure, durationMs }) {
      count('exchanges', connection, failure?.class ?? 'ok');
      for (const observe of listeners) observe(connection, method, durationMs / 1000);
    },
    event: ({ connection, kind }) => count('events', connection, kind),
    echo: (connection) => count('echoes', connection, 'skipped'),
    probe: (connection, result) => count('probes', connection, result),
    read: (family) => [...(counts.get(family)?.values() ?? [])],
    listen: (observe) => void listeners.push(observe),
  };
}
