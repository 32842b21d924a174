// The audit record of one Bundle entry that is not a successful write (the commit audits those).
import type { Grant } from '../../access/grant.ts';
import type { EntryRequest } from '../../fhir/bundle.ts';
import type { AuditRecord } from '../../store/store.ts';

const ACTIONS = { create: 'C', update: 'U', delete: 'D' } as const;

export function auditOfEntry(grant: Grant, entry: EntryRequest, status: number): AuditRecord {
  const { actor } = grant;
  const { type } = entry;
  if (entry.kind === 'change') {
    const { change } = entry;
    const id = change.op === 'delete' ? change.id : change.op === 'update' ? change.resource.id : undefined;
    return { actor, interaction: change.op, action: ACTIONS[change.op], status, type, ...(id ? { id } : {}) };
  }
  if (entry.kind === 'search') {
    const query = new URLSearchParams(entry.pairs.map(([name, value]) => [name, value])).toString();
    return { actor, interaction: 'search-type', action: 'E', status, type, query };
  }
  return { actor, interaction: entry.versionId ? 'vread' : 'read', action: 'R', status, type, id: entry.id };
}
