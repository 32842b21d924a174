// /ops: what operators see and do. Thin: lists of what is kept, and commands to the parts that are there.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TrailVerdict } from '../../audit/verify.ts';
import { readIndexProgress } from '../../store/search/index-progress.ts';
import type { Sync } from '../../sync/sync.ts';
import type { Transitions } from '../../transitions/transitions.ts';
import type { FhirContext } from '../fhir/context.ts';
import { grantOf } from '../grant-of.ts';
import type { RouteFacts } from '../route-facts.ts';
import { listConflicts, readResolution } from './conflicts.ts';
import { FOLLOW_UP_FILTERS, listFollowUps } from './follow-ups.ts';
import { type ListPage, type ListRequest, listRequest } from './list-request.ts';
import { ALERTS, AUDIT, DELIVERIES, listTable, MESSAGES, OUTBOX } from './table-list.ts';

export interface OperatorParts {
  readonly context: FhirContext;
  /** Absent: no routes about connections. */
  readonly sync?: Pick<Sync, 'status' | 'meter' | 'conflicts' | 'resolve' | 'pullNow' | 'pushNow'> | undefined;
  /** Absent: no sweep. */
  readonly transitions?: Pick<Transitions, 'tick'> | undefined;
  readonly verifyTrail: () => Promise<TrailVerdict>;
}

export function serveOperators(
  server: FastifyInstance,
  { context, sync, transitions, verifyTrail }: OperatorParts,
): void {
  const { store } = context;
  const list = (name: string, filters: readonly string[], read: (request: ListRequest) => Promise<ListPage>) =>
    server.get(`/ops/${name}`, facts(name, 'R'), async (request) => read(listRequest(request, filters)));
  const command = (path: string, name: string, run: (request: FastifyRequest) => Promise<object>) =>
    server.post(`/ops/${path}`, facts(name, 'E'), run);

  for (const [name, table] of Object.entries({ audit: AUDIT, deliveries: DELIVERIES })) {
    list(name, table.filters, (request) => listTable(store, table, request));
  }
  list('follow-ups', FOLLOW_UP_FILTERS, (request) => listFollowUps(context, request));
  list('indexing', [], async () => ({ items: await readIndexProgress(store) }));
  command('audit/verify', 'audit-verify', () => verifyTrail());
  if (transitions) command('sweep', 'sweep', () => transitions.tick());
  if (!sync) return;
  for (const [name, table] of Object.entries({ outbox: OUTBOX, messages: MESSAGES, alerts: ALERTS })) {
    list(name, table.filters, (request) => listTable(store, table, request));
  }
  list('connections', [], async () => ({ items: await sync.status() }));
  list('conflicts', ['connection'], (request) => listConflicts(sync.conflicts, request));
  command('conflicts/:id/resolve', 'resolve', async (request) => {
    const id = param(request, 'id');
    await sync.resolve(grantOf(request).actor, id, readResolution(request.body));
    return { id, state: 'resolved' };
  });
  for (const [direction, run] of [
    ['pull', sync.pullNow],
    ['push', sync.pushNow],
  ] as const) {
    command(`connections/:name/${direction}`, direction, async (request) => {
      const name = param(request, 'name');
      await run(name);
      return (await sync.status()).find((status) => status.name === name) ?? {};
    });
  }
}

const facts = (name: string, action: 'R' | 'E'): { config: RouteFacts } => ({
  config: { door: 'baton/ops', interaction: `ops-${name}`, action },
});

const param = (request: FastifyRequest, name: string) => (request.params as Record<string, string>)[name] ?? '';
