// GET /metrics in Prometheus' format: requests, the log and its readers, and whatever the other parts count.
// https://prometheus.io/docs/practices/naming/
import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { readIndexProgress } from '../store/search/index-progress.ts';
import type { Store } from '../store/store.ts';

/** Numbers that another part of Baton keeps, asked for at each scrape. */
export interface GaugeSource {
  /** `baton_outbox_entries` */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly read: () => Promise<readonly Sample[]>;
  /** Only ever grows, from zero at the start of the process: a counter instead of a gauge. */
  readonly counts?: true;
}

/** Durations that another part of Baton measures. */
export interface HistogramSource {
  /** `…_seconds` */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly listen: (observe: (labels: Readonly<Record<string, string>>, seconds: number) => void) => void;
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export function serveMetrics(
  server: FastifyInstance,
  store: Store,
  sources: readonly GaugeSource[],
  measured: readonly HistogramSource[] = [],
): void {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const labelNames = ['route', 'method', 'status'] as const;
  const requests = new Counter({
    name: 'baton_http_requests_total',
    help: 'Requests answered.',
    labelNames,
    registers,
  });
  const durations = new Histogram({
    name: 'baton_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last byte of its answer.',
    labelNames: ['route', 'method'],
    buckets: DURATION_BUCKETS,
    registers,
  });
  const unread = new Set<string>();
  for (const source of [...logSources(store), ...sources]) addNumber(registry, source, unread);
  // In a registry of its own: it is known when all others have been read.
  const reading = new Registry();
  addNumber(reading, unreadOf(unread), unread);
  for (const { name, help, labels, listen } of measured) {
    const histogram = new Histogram({ name, help, labelNames: [...labels], buckets: DURATION_BUCKETS, registers });
    listen((values, seconds) => histogram.observe({ ...values }, seconds));
  }

  server.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none';
    requests.inc({ route, method: request.method, status: reply.statusCode });
    durations.observe({ route, method: request.method }, reply.elapsedTime / 1000);
    done();
  });
  server.get('/metrics', { config: { door: 'baton/metrics' } }, async (_request, reply) => {
    return reply
      .header('content-type', registry.contentType)
      .send(`${await registry.metrics()}${await reading.metrics()}`);
  });
}

/** A store that cannot be asked takes no other numbers with it: the age of the heartbeat is wanted then most of all. */
function unreadOf(unread: ReadonlySet<string>): GaugeSource {
  return {
    name: 'baton_metrics_unread',
    help: 'Numbers that could not be read for this answer and are left out.',
    labels: [],
    read: async () => [{ labels: {}, value: unread.size }],
  };
}

function logSources(store: Store): GaugeSource[] {
  return [
    {
      name: 'baton_log_head',
      help: 'Sequence of the newest version in the log.',
      labels: [],
      read: async () => [{ labels: {}, value: await store.head() }],
    },
    {
      name: 'baton_index_remaining',
      help: 'Stored resources that are still to be indexed by changed search parameters.',
      labels: ['type'],
      read: async () =>
        (await readIndexProgress(store)).map(({ type, remaining }) => ({ labels: { type }, value: remaining })),
    },
    {
      name: 'baton_log_lag',
      help: 'Versions in the log that a reader has not handled yet.',
      labels: ['reader'],
      read: async () => {
        const [head, cursors] = await Promise.all([store.head(), store.query('SELECT name, sequence FROM cursor')]);
        return cursors.map((row) => ({ labels: { reader: String(row.name) }, value: head - Number(row.sequence) }));
      },
    },
  ];
}

function addNumber(registry: Registry, source: GaugeSource, unread: Set<string>): void {
  const { name, help, labels, read, counts } = source;
  const settings = { name, help, labelNames: [...labels], registers: [registry] };
  const collect = async (): Promise<void> => {
    unread.delete(name);
    const samples = await read().catch(() => void unread.add(name));
    metric.reset();
    // Resetting gives a number without labels the value 0, which nobody has read.
    if (!samples && labels.length === 0) metric.remove();
    if (!samples) return;
    for (const { labels: values, value } of samples) metric.inc({ ...values }, value);
  };
  const metric = counts ? new Counter({ ...settings, collect }) : new Gauge({ ...settings, collect });
}
