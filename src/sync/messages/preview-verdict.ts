// What is said of a push before it is made.
import type { JsonObject } from '../../fhir/canonical-json.ts';
import type { ElementDifference } from '../../fhir/element-diff.ts';
import type { ElementView } from '../conflicts/element-view.ts';

export type PreviewOutcome =
  | 'would-create'
  | 'would-update'
  | 'would-delete'
  /** Until a person has said who it, or its patient, is there, or until a server that makes its patients itself has them. */
  | 'would-wait'
  /** It goes there as something that the server takes; `body` is that. */
  | 'would-project'
  /** What went there in its place is taken back. */
  | 'would-withdraw'
  | 'would-conflict'
  /** Only our copy would change, because the remote has something newer. */
  | 'would-merge-here'
  | 'unchanged'
  | 'withheld'
  | 'no-direction'
  | 'no-capability'
  | 'delete-kept-by-policy'
  | 'deleted-remotely'
  | 'gone-remotely';

export interface Preview {
  readonly connection: string;
  readonly ref: string;
  /** `Type/id` there, when it is linked, or when something stands there in its place. */
  readonly remote?: string;
  readonly outcome: PreviewOutcome;
  /** A sentence, where the outcome needs one. */
  readonly detail?: string;
  /** How the comparison came about: the remote was read now, or could not be and its last known copy stands for it. */
  readonly comparedWith: 'remote' | 'last-known' | 'nothing';
  /** Id of the conflict that stops the resource. */
  readonly openConflict?: string;
  /** In the remote's terms. */
  readonly body?: JsonObject;
  /** What would change there; `values` are the remote's and ours. */
  readonly differences: readonly ElementDifference[];
  /** In local terms: the three copies of the merge, and what decided. */
  readonly elements: readonly ElementView[];
}

/** What would become of it, and how that differs from what is there. */
export type Verdict = Omit<Preview, 'connection' | 'ref' | 'openConflict'>;

export const NOTHING = { comparedWith: 'nothing', differences: [], elements: [] } as const;
