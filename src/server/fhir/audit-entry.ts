// The audit record of one Bundle entry that is not a successful write (the commit audits those).
import type { Grant } from '../../access/grant.ts';
import type { Question } from '../../fhir/bundle-entry.ts';
import type { Change } from '../../fhir/change.ts';
import type { AuditRecord } from '../../store/store.ts';
import { typeOf } from './authorize-change.ts';
import type { Matched } from './match-route.ts';

const ACTIONS = { create: 'C', update: 'U', patch: 'U', delete: 'D' } as const;

export function auditOfChange({ actor }: Grant, change: Change, status: number): AuditRecord {
  const id = idOf(change);
  const type = typeOf(change);
  return { actor, interaction: change.op, action: ACTIONS[change.op], status, type, ...(id ? { id } : {}) };
}

/** @param matched absent when no route answers the question */
export function auditOfQuestion(
  { actor }: Grant,
  { pairs }: Question,
  matched: Matched | undefined,
  status: number,
): AuditRecord {
  const { interaction = 'unknown', action = 'R' } = matched?.route.facts ?? {};
  const { type, id, target } = matched?.params ?? {};
  const compartment = target === undefined ? [] : [['_compartment', `${type}/${id}`]];
  const query = new URLSearchParams([...compartment, ...pairs.map(([name, value]) => [name, value])]).toString();
  const about = target ?? type;
  return {
    actor,
    interaction,
    action,
    status,
    ...(about === undefined ? {} : { type: about }),
    ...(id === undefined || target !== undefined ? {} : { id }),
    ...(query === '' ? {} : { query: query.slice(0, 4_000) }),
  };
}

function idOf(change: Change): string | undefined {
  if (change.op === 'create') return undefined;
  return change.op === 'update' ? change.resource.id : change.id;
}
