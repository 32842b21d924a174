// The audit record of one Bundle entry that is not a successful write (the commit audits those).
import type { Grant } from '../../access/grant.ts';
import type { Question } from '../../fhir/bundle-entry.ts';
import type { Change } from '../../fhir/change.ts';
import type { AuditRecord } from '../../store/store.ts';
import { queryText, subjectOf } from '../audit-subject.ts';
import { typeOf } from './authorize-change.ts';
import type { Matched } from './match-route.ts';

const ACTIONS = { create: 'C', update: 'U', patch: 'U', delete: 'D' } as const;

export function auditOfChange({ actor }: Grant, change: Change, status: number): AuditRecord {
  const id = idOf(change);
  const type = typeOf(change);
  return { actor, interaction: change.op, action: ACTIONS[change.op], status, type, ...(id ? { id } : {}) };
}

/**
 * @param matched absent when no route answers the question
 * @param etag of the answer
 */
export function auditOfQuestion(
  grant: Grant,
  { pairs }: Question,
  matched: Matched | undefined,
  status: number,
  etag?: string,
): AuditRecord {
  const { interaction = 'unknown', action = 'R' } = matched?.route.facts ?? {};
  const params = matched?.params ?? {};
  return {
    actor: grant.actor,
    interaction,
    action,
    status,
    ...subjectOf({ params, pairs, query: queryText(pairs), grant, etag }),
  };
}

function idOf(change: Change): string | undefined {
  if (change.op === 'create') return undefined;
  return change.op === 'update' ? change.resource.id : change.id;
}
