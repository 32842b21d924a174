// Each request leaves a line in the audit trail, also one for a URL that is not there. Not recorded: the open routes that
// carry no health data, unless they are asked too often, and scrapes of the metrics unless they are refused. Successful
// writes are not recorded here: their commit does it, so that the line is as durable as the write.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { UNKNOWN_ACTOR } from '../access/grant.ts';
import type { Actor, AuditRecord, Store } from '../store/store.ts';
import { originOf } from './address.ts';
import { queryText, subjectOf } from './audit-subject.ts';
import { findGrant } from './grant-of.ts';
import { FormBody } from './json-body.ts';
import { patientsShown } from './patients-shown.ts';
import { factsOf, type RouteFacts } from './route-facts.ts';

const AUDITED_BY_COMMIT = new Set(['create', 'update', 'patch', 'delete']);

export function auditAll(server: FastifyInstance, store: Store): void {
  server.addHook('onResponse', (request, reply, done) => {
    const facts = factsOf(request);
    if (isRecorded(facts, reply.statusCode)) store.audit(recordOf(request, reply, facts));
    done();
  });
}

function isRecorded({ interaction, open = false }: RouteFacts, status: number): boolean {
  if (interaction === undefined) return (!open || status === 429) && status >= 400;
  return status >= 300 || !AUDITED_BY_COMMIT.has(interaction);
}

/** The line of a request whose URL Fastify refuses before any hook runs. */
export function auditUnroutable(store: Store, request: FastifyRequest, status: number): void {
  store.audit({ actor: unknownActor(request), interaction: 'unknown', action: 'R', status });
}

/** Who asks, when no token says so. */
export function unknownActor(request: FastifyRequest): Actor {
  return { ...UNKNOWN_ACTOR, ...originOf(request) };
}

function recordOf(request: FastifyRequest, reply: FastifyReply, facts: RouteFacts): AuditRecord {
  const { interaction = 'unknown', action = 'R', type } = facts;
  const grant = findGrant(request);
  const etag = reply.getHeader('etag');
  const query = isSearchable(facts) ? queriesOf(request) : '';
  const patients = patientsShown(request);
  const params = request.params as Record<string, string | undefined>;
  return {
    actor: grant?.actor ?? unknownActor(request),
    interaction: interaction === 'batch' && isTransaction(request.body) ? 'transaction' : interaction,
    action,
    status: reply.statusCode,
    ...subjectOf({
      params: type === undefined ? params : { type, ...params },
      pairs: query === '' ? [] : [...new URLSearchParams(query)],
      query,
      grant,
      etag: typeof etag === 'string' ? etag : undefined,
    }),
    ...(patients === undefined ? {} : { patients }),
  };
}

/**
 * What is sent to sign-in pages, to the authorization server and to addresses that are not there is no search: it has
 * passwords, codes and secrets in it, and the trail never forgets.
 */
const isSearchable = ({ interaction, open = false }: RouteFacts) => interaction !== undefined && !open;

/** Criteria of a search, from the URL and from the form. */
function queriesOf({ url, body }: FastifyRequest): string {
  const mark = url.indexOf('?');
  const inUrl = mark < 0 ? '' : url.slice(mark + 1);
  const inForm = body instanceof FormBody ? queryText(body.pairs) : '';
  return inUrl !== '' && inForm !== '' ? `${inUrl}&${inForm}` : inUrl + inForm;
}

const isTransaction = (body: unknown) => (body as { type?: unknown } | undefined)?.type === 'transaction';
