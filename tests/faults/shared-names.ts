// Names that all writers of tests/faults/shared-writer.ts have in common.

/** Id of the Patient that all update with If-Match. */
export const COUNTER = 'counter';
/** Identifiers of what all create conditionally: `shared-0`, `shared-1`, … */
export const SHARED = 'shared-';
