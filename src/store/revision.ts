// What the store asks of the rest of Baton when something is written: whether it may follow what was there, and stand beside
// what else there is. Asked inside the transaction, before anything is written, so that no other writer can come between.
import type { Resource } from '@medplum/fhirtypes';
import { Fault, type FaultDetails } from '../fault.ts';
import type { Actor } from './store.ts';

export interface Revision {
  /** As stored; of what was deleted its last version. Undefined for something new. */
  readonly before: Resource | undefined;
  /** True when `before` is what a deleted resource said last. */
  readonly isReborn: boolean;
  /** As it would be. */
  readonly after: Resource;
  readonly actor: Actor;
  /** What the same commit writes besides. */
  readonly beside: readonly Resource[];
  /** What the same commit writes under this id, whether it had one before or not. */
  written(type: string, id: string): Resource | undefined;
  /** What the same commit deletes: `CarePlan/12`. */
  readonly removed: ReadonlySet<string>;
  /** True when a person has decided a conflict by it: a status of another server is taken as it is. */
  readonly isDecided: boolean;
  /** What matches a search, as the transaction sees it, e.g. `PractitionerRole?practitioner=Practitioner/1`. */
  find(query: string): Promise<Resource[]>;
}

export interface RevisionRule {
  /** Resource types that it has something to say about. */
  readonly types: ReadonlySet<string>;
  /** @throws RevisionRefused */
  check(revision: Revision): Promise<void>;
}

/** 422: it cannot follow what is stored, or not stand beside it. What it says may tell what is stored; the store sees to that. */
export class RevisionRefused extends Fault {
  /** What it tells of, `CarePlan/12`, when that is another resource than the one that is written. */
  readonly tellsOf: string | undefined;
  constructor(sentence: string, { tellsOf, ...details }: Pick<FaultDetails, 'expression'> & { tellsOf?: string }) {
    super('unprocessable', sentence, { ...details, code: 'business-rule' });
    this.tellsOf = tellsOf;
  }
}
