// Each request leaves a line in the audit trail, also one for a URL that is not there. Not recorded: the open routes that
// carry no health data, unless they are asked too often, and scrapes of the metrics unless they are refused. Successful
// writes are not recorded here: their commit does it, so that the line is as durable as the write.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { UNKNOWN_ACTOR } from '../access/grant.ts';
import type { Pairs } from '../fhir/request-url.ts';
import type { AuditRecord, Store } from '../store/store.ts';
import { findGrant } from './grant-of.ts';
import { FormBody } from './json-body.ts';
import { factsOf, type RouteFacts } from './route-facts.ts';

const AUDITED_BY_COMMIT = new Set(['create', 'update', 'patch', 'delete']);

export function auditAll(server: FastifyInstance, store: Store): void {
  server.addHook('onResponse', (request, reply, done) => {
    const { interaction, action = 'R' } = factsOf(request);
    if (isRecorded(factsOf(request), reply.statusCode)) {
      store.audit(recordOf(request, interaction ?? 'unknown', action, reply.statusCode));
    }
    done();
  });
}

function isRecorded({ interaction, open = false }: RouteFacts, status: number): boolean {
  if (interaction === undefined) return (!open || status === 429) && status >= 400;
  return status >= 300 || !AUDITED_BY_COMMIT.has(interaction);
}

/** The line of a request whose URL Fastify refuses before any hook runs. */
export function auditUnroutable(store: Store, request: FastifyRequest, status: number): void {
  store.audit({ actor: { ...UNKNOWN_ACTOR, requestId: request.id }, interaction: 'unknown', action: 'R', status });
}

function recordOf(
  request: FastifyRequest,
  interaction: string,
  action: AuditRecord['action'],
  status: number,
): AuditRecord {
  const { type, id, target } = request.params as Record<string, string | undefined>;
  const isCompartment = target !== undefined;
  const query = [isCompartment ? `_compartment=${type}/${id}` : '', ...queriesOf(request)].filter(Boolean).join('&');
  return {
    actor: findGrant(request)?.actor ?? { ...UNKNOWN_ACTOR, requestId: request.id },
    interaction: interaction === 'batch' && isTransaction(request.body) ? 'transaction' : interaction,
    action,
    status,
    ...(type === undefined ? {} : { type: clip(target ?? type) }),
    ...(id === undefined || isCompartment ? {} : { id: clip(id) }),
    ...(query === '' ? {} : { query: query.slice(0, 4_000) }),
  };
}

/** Criteria of a search, from the URL and from the form. */
function queriesOf(request: FastifyRequest): string[] {
  const inUrl = request.url.split('?').slice(1).join('?');
  const inForm = request.body instanceof FormBody ? queryOf(request.body.pairs) : '';
  return [inUrl, inForm];
}

const queryOf = (pairs: Pairs) => new URLSearchParams(pairs.map(([name, value]) => [name, value])).toString();

const isTransaction = (body: unknown) => (body as { type?: unknown } | undefined)?.type === 'transaction';

/** Paths are the client's to choose; the trail does not grow with them. */
const clip = (text: string) => text.slice(0, 128);
