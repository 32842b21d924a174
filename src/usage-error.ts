/** A command line that cannot be meant; the sentence says what to write instead. */
export class UsageError extends Error {}
