// GET /ops/matches and POST /ops/matches/{id}/decide: remote patients who may be one of ours, and a person's word.
// docs/patient-matching.md
import { Fault } from '../../fault.ts';
import type { MatchDecision } from '../../sync/patients/decide-match.ts';
import type { AskedQuestion } from '../../sync/patients/identity-question.ts';
import { bodyOf, wrong } from './command-body.ts';
import type { ListPage, ListRequest } from './list-request.ts';

export const MATCH_FILTERS: readonly string[] = ['connection', 'all'];

const MOST_DAYS = 365;

/** Open questions, oldest first, with what each rule said. `all=true` shows those put off as well. They are few; one page. */
export async function listMatches(
  matches: (connection?: string, all?: boolean) => Promise<AskedQuestion[]>,
  { filter }: ListRequest,
): Promise<ListPage> {
  const found = await matches(filter.connection, filter.all === 'true');
  const items = found.map(({ id, connection, type, remoteId, kind, remoteBody, candidates, later }) => ({
    ...{ id, connection, type, remoteId, kind, remote: remoteBody, candidates },
    later: later === undefined ? null : Temporal.Instant.fromEpochMilliseconds(later).toString(),
  }));
  return { items };
}

/** @throws Fault invalid when the body is none of the decisions */
export function readDecision(body: unknown, now: Temporal.Instant): MatchDecision {
  const { decision, to, days = 1, merge = false } = bodyOf(body, ['decision', 'to', 'days', 'merge']);
  if (typeof merge !== 'boolean') throw wrong('merge', 'merge is true or false.');
  if (decision === 'new' || decision === 'apart') return { decision };
  if (decision === 'link' && typeof to === 'string' && to !== '') return { decision, to, merge };
  if (decision === 'later' && Number.isInteger(days) && Number(days) >= 1 && Number(days) <= MOST_DAYS) {
    return { decision, until: now.add({ hours: 24 * Number(days) }).epochMilliseconds };
  }
  const text =
    'Send {"decision": "link", "to": "ID"}, {"decision": "new"}, {"decision": "apart"} or {"decision": "later", "days": 7}.';
  throw new Fault('invalid', text, { code: 'value' });
}
