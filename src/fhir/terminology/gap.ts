// What keeps a value set from being known completely here. The difference between "no" and "cannot be told" is what makes
// a terminology answer safe to act on.

export interface Gap {
  /** Whose codes are in question; absent: those of any system. */
  readonly system?: string;
  readonly why: 'unknown' | 'unknown-version' | 'no-content' | 'incomplete' | 'filter';
  /** A sentence for people. */
  readonly text: string;
  /** True when what is known of it can be listed all the same: a fragment, not nothing. */
  readonly partial: boolean;
}

/** Three-valued logic: undefined is "cannot be told". */
export type Answer = boolean | undefined;

export function allOf(answers: Iterable<Answer>): Answer {
  let result: Answer = true;
  for (const answer of answers) {
    if (answer === false) return false;
    if (answer === undefined) result = undefined;
  }
  return result;
}

export function anyOf(answers: Iterable<Answer>): Answer {
  let result: Answer = false;
  for (const answer of answers) {
    if (answer === true) return true;
    if (answer === undefined) result = undefined;
  }
  return result;
}

export const not = (answer: Answer): Answer => (answer === undefined ? undefined : !answer);
