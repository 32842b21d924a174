// What the store asks of the rest of Baton when a stored resource gets a new version: whether the one may follow the other.
// Asked inside the transaction, before anything is written, so that no other writer can come between.
import type { Resource } from '@medplum/fhirtypes';
import { Fault, type FaultDetails } from '../fault.ts';
import type { Actor } from './store.ts';

export interface Revision {
  /** As stored. */
  readonly before: Resource;
  /** As it would be. */
  readonly after: Resource;
  readonly actor: Actor;
  /** What the same commit writes besides. */
  readonly beside: readonly Resource[];
  /** What matches a search, as the transaction sees it, e.g. `PractitionerRole?practitioner=Practitioner/1`. */
  find(query: string): Promise<Resource[]>;
}

export interface RevisionRule {
  /** Resource types that it has something to say about. */
  readonly types: ReadonlySet<string>;
  /** @throws RevisionRefused */
  check(revision: Revision): Promise<void>;
}

/** 422: the new version cannot follow the stored one. What it says may tell what is stored; the store sees to that. */
export class RevisionRefused extends Fault {
  constructor(sentence: string, details: Pick<FaultDetails, 'expression'>) {
    super('unprocessable', sentence, { ...details, code: 'business-rule' });
  }
}
