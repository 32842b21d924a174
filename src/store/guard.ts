// What a writer may see, touch and make, as conditions that the commit asks. enforce-guard.ts does so.
import type { Condition } from '../fhir/search/query.ts';

type Op = 'create' | 'update' | 'patch' | 'delete';

/** The limits of one commit. Undefined, as an answer, is no limit. */
export interface Guard {
  /** Must hold of a resource that is there before it is changed or deleted. */
  before(op: Op, type: string): Condition | undefined;
  /** Must hold of what a create, an update or a patch makes; `isNew` when there was nothing before. */
  after(op: Op, type: string, isNew: boolean): Condition | undefined;
  /**
   * Must hold of what the criteria of a conditional interaction match.
   * @param byIdentifier the criteria are identifiers only: they tell nothing that their sender does not know
   */
  matching(type: string, byIdentifier: boolean): Condition | undefined;
  /** Must hold of a resource before a refusal may tell what it says. */
  telling(type: string): Condition | undefined;
  /**
   * Must hold of a Patient whom a change newly refers to. Asked before anything is written, so that no change opens by
   * itself what it needs to be allowed.
   */
  patients(op: Op, type: string): Condition | undefined;
  /**
   * Sets of patients whose records are open to the writer, to read or to write, by what resources say; only those that a
   * resource of the type has a say in. Who was not in one of them before the commit must not be in it after it.
   */
  open(type: string): readonly Condition[];
  /**
   * Resources of the type that are offered to the writer by what they say themselves, to be taken by becoming their owner:
   * what is taken may open the record of its patient.
   */
  offered(type: string): Condition | undefined;
  /** Id of the local patient that a reference leads to. */
  patientIn(reference: string): string | undefined;
}
