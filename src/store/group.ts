// What is committed together: the units somebody asked for, and the group that shares one transaction.
import type { OperationOutcomeIssue, Resource } from '@medplum/fhirtypes';
import type { Change } from '../fhir/change.ts';
import type { AuditEntry } from './audit-entry.ts';
import type { CurrentRows } from './current-rows.ts';
import type { Transaction } from './engine.ts';
import type { RevisionRule } from './revision.ts';
import type { SearchEngine } from './search/engine.ts';
import type { Actor, Alongside, CommitOptions } from './store.ts';

/**
 * Which commits may not hold a relative reference to a resource that does not exist: transactions, all, or none.
 */
export type ReferentialIntegrity = 'transaction' | 'always' | 'off';

/** What a commit is checked against and indexed by. */
export interface CommitRules {
  readonly searchEngine: SearchEngine;
  /** Issues of severity error or fatal refuse the commit. */
  readonly validate: (resource: Resource) => OperationOutcomeIssue[];
  readonly referentialIntegrity: ReferentialIntegrity;
  /** Absent: any version may follow any other. */
  readonly revisions?: RevisionRule | undefined;
}

/** What the commits of one transaction share. */
export interface Group {
  readonly tx: Transaction;
  readonly rules: CommitRules;
  /** lastUpdated of everything written here, milliseconds since 1970. */
  readonly now: number;
  readonly current: CurrentRows;
  /** The last position given out in the log. */
  sequence: number;
  /** Written to the trail when all commits of the group are done. */
  readonly audit: AuditEntry[];
}

/** What somebody asked to be committed. */
export interface Unit {
  readonly actor: Actor;
  readonly changes: readonly Change[];
  readonly alongside: Alongside;
  /** A FHIR transaction, as opposed to one change on its own. */
  readonly transaction: boolean;
  readonly mayKnow?: CommitOptions['mayKnow'] | undefined;
  readonly guard?: CommitOptions['guard'];
  readonly unlessNewer?: CommitOptions['unlessNewer'];
  readonly unlessWritten?: CommitOptions['unlessWritten'];
  readonly isDecided?: CommitOptions['isDecided'] | undefined;
}
