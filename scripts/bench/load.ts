// Drives one URL with autocannon from this process; the servers under load run in their own.
import autocannon from 'autocannon';

export interface Load {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  readonly paths: readonly string[];
  readonly headers?: Record<string, string>;
  /** One body per request, in turn. */
  readonly bodies?: readonly string[];
  readonly connections?: number;
  readonly seconds?: number;
}

export interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** Warm-up, then one measured run. @throws when any answer was not 2xx: such a number would mean nothing. */
export async function drive(load: Load): Promise<Measured> {
  await run({ ...load, seconds: 2 });
  return run(load);
}

async function run(load: Load): Promise<Measured> {
  const requests = (load.bodies ?? load.paths).map((_, index) => ({
    method: load.method ?? 'GET',
    path: load.paths[index % load.paths.length],
    headers: load.headers ?? {},
    ...(load.bodies ? { body: load.bodies[index] } : {}),
  }));
  const result = await autocannon({
    url: load.url,
    connections: load.connections ?? 64,
    duration: load.seconds ?? 8,
    requests: requests as autocannon.Request[],
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${load.paths[0]}: ${result.non2xx} answers were not 2xx, ${result.errors} connections failed`);
  }
  return { perSecond: result.requests.average, p50: result.latency.p50, p99: result.latency.p99 };
}
