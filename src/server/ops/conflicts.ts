// GET /ops/conflicts and POST /ops/conflicts/{id}/resolve: differences that wait for a person, and the decision.
import { Fault } from '../../fault.ts';
import type { JsonObject } from '../../fhir/canonical-json.ts';
import type { Conflict } from '../../sync/conflict.ts';
import type { Resolution } from '../../sync/resolve.ts';
import type { ListPage, ListRequest } from './list-request.ts';

/** Open conflicts with both sides, so that a person can decide. They are few; there is one page. */
export async function listConflicts(
  conflicts: (connection?: string) => Promise<Conflict[]>,
  { filter }: ListRequest,
): Promise<ListPage> {
  return { items: await conflicts(filter.connection) };
}

/** @throws Fault invalid when the body is not `{"take": "ours|theirs|proposed"}` or `{"take": "edited", "body": {…}}` */
export function readResolution(body: unknown): Resolution {
  const { take, body: edited } = (body ?? {}) as { take?: unknown; body?: unknown };
  if (take === 'ours' || take === 'theirs' || take === 'proposed') return { take };
  if (take === 'edited' && typeof edited === 'object' && edited !== null && !Array.isArray(edited)) {
    return { take, body: edited as JsonObject };
  }
  throw new Fault('invalid', 'Send {"take": "ours"}, "theirs" or "proposed", or {"take": "edited", "body": {…}}.', {
    code: 'value',
  });
}
