// One change while it is being committed: what it was resolved to and what became of it.
import type { Resource } from '@medplum/fhirtypes';
import type { CurrentState } from './current-rows.ts';
import type { StoredVersion } from './store.ts';

/** What a change has to know of the row of `resource` that it meets. */
export type CurrentRow = Pick<CurrentState, 'rid' | 'version' | 'deleted' | 'patients'>;

export interface Step {
  readonly op: 'create' | 'update' | 'patch' | 'delete';
  readonly type: string;
  /** Empty for a conditional delete that matched nothing. */
  readonly id: string;
  readonly fullUrl: string | undefined;
  /** Criteria of a conditional create or update that matched nothing. */
  readonly criteria: string | undefined;
  /** The resource before this commit, if there is one. */
  readonly current: CurrentRow | undefined;
  /** False when there is nothing to do: a conditional create that matched, a delete of what is deleted already. */
  readonly writes: boolean;
  /** What is there instead when nothing is written. */
  readonly match: StoredVersion | undefined;
  /** An equal conditional create earlier in this commit, which this one comes down to. */
  readonly twin: Step | undefined;

  /** What was there before this commit, where somebody has read it. */
  before: Resource | undefined;
  /** Content with links rewritten; absent for deletes. */
  resource: Resource | undefined;
  /** Conditional references that are still to be resolved. */
  conditional: string[];
  /** Set when written; the position in the log. */
  sequence: number;
  rid: number;
  version: number;
  updated: number;
  content: string;
  /** Ids of the patients whose compartment it is in; known when it is written. */
  patients: readonly string[] | undefined;
}

/** The parts of a step that are known when it is made. */
export type Identity = Pick<Step, 'op' | 'type' | 'id'> &
  Partial<Pick<Step, 'fullUrl' | 'criteria' | 'current' | 'writes' | 'match' | 'twin' | 'before' | 'resource'>>;

/** A step that has not written anything yet. */
export function newStep(identity: Identity): Step {
  return {
    op: identity.op,
    type: identity.type,
    id: identity.id,
    fullUrl: identity.fullUrl,
    criteria: identity.criteria,
    current: identity.current,
    writes: identity.writes ?? true,
    match: identity.match,
    twin: identity.twin,
    before: identity.before,
    resource: identity.resource,
    conditional: [],
    sequence: 0,
    rid: identity.current?.rid ?? 0,
    version: identity.current?.version ?? 0,
    updated: 0,
    content: '',
    patients: undefined,
  };
}
