// What the entries of one Bundle share while they are carried out.
import type { Grant } from '../../access/grant.ts';
import type { FhirContext } from './context.ts';
import type { Prefer } from './prefer.ts';

export interface Run {
  readonly context: FhirContext;
  readonly grant: Grant;
  /** The header as it was sent, for the questions. */
  readonly prefer: string | string[] | undefined;
  readonly wanted: Prefer;
}
