// How reckoning and observation put what they say, so that the two can be compared.

/** `overdue 2026-03-08T07:15:21Z`. */
export function note(what: string, at: number, more = ''): string {
  const when = new Date(at * 1000).toISOString().replace('.000Z', 'Z');
  return [what, when, more].filter(Boolean).join(' ');
}

/** Between words of which either is right. */
export const OR = '|';

/** What should be said, which may leave a choice of its first word, and what is. */
export function says(should: string, is: string | undefined): boolean {
  const [words = '', ...rest] = should.split(' ');
  return words.split(OR).some((word) => [word, ...rest].join(' ') === is);
}

/** A window. */
export function span({ raise, due }: { readonly raise: number; readonly due: number }): string {
  return `[${note('', raise)} ${note('', due)}]`;
}
