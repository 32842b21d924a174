// What is to be appended to the audit trail.
import type { AuditRecord } from './store.ts';

/** An audit record and when it happened. */
export interface AuditEntry extends AuditRecord {
  /** Milliseconds since 1970. */
  readonly recorded: number;
}
