// What documents need beside the records: names of this server, and how it validates, matches and merges. The server
// supplies it, for one request.
import type { OperationOutcomeIssue, Patient, Resource } from '@medplum/fhirtypes';
import type { MergeConflict, Preference } from '../../fhir/merge3.ts';

export interface Exchange {
  /** Of this Baton, without trailing slash. */
  readonly baseUrl: string;
  /** Where its FHIR begins, without trailing slash. */
  readonly fhirBase: string;
  isType(type: string): boolean;
  /** Whether resources of the type are part of some patient's record. */
  isAboutPatients(type: string): boolean;
  /** Whether resources of the type have room for identifiers of several servers. */
  carriesIdentifier(type: string): boolean;
  mayCreate(type: string): boolean;
  /** What is wrong with a resource; only errors. */
  errorsOf(resource: unknown): OperationOutcomeIssue[];
  /** Undefined when there is no such version, or it may not be seen. */
  version(type: string, id: string, versionId: string): Promise<Resource | undefined>;
  /** Whether two records are of one person, by the rules of profiles/matching. */
  isSamePerson(here: Patient, there: Patient): boolean;
  merge(copies: Copies): Merged;
}

export interface Copies {
  /** The last version that both sides knew; undefined when there is none. */
  readonly base: Resource | undefined;
  readonly ours: Resource;
  readonly theirs: Resource;
  /** By element path, what a person or the case has decided; before the policy of the type. */
  readonly decided: Readonly<Record<string, Preference>>;
  /** For elements that nothing else decides. Absent: the policy's. */
  readonly otherwise?: Preference;
}

export interface Merged {
  /** Undefined when ours stays as it is. */
  readonly resource: Resource | undefined;
  readonly conflicts: readonly MergeConflict[];
}
