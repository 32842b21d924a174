// What a command of /ops was sent: a JSON object with members that are known.
import { Fault } from '../../fault.ts';

/**
 * Nothing sent is an object without members.
 * @param known members; with a misspelt `dryRun` something would happen that was only to be tried
 * @throws Fault invalid
 */
export function bodyOf(body: unknown, known?: readonly string[]): Readonly<Record<string, unknown>> {
  if (body === undefined || body === null) return {};
  if (typeof body !== 'object' || Array.isArray(body)) {
    throw new Fault('invalid', 'Send a JSON object.', { code: 'structure' });
  }
  const other = known && Object.keys(body).find((member) => !known.includes(member));
  if (other === undefined) return { ...body };
  throw wrong(other, `There is no ${other} here; there is ${known?.join(', ')}.`);
}

/** About one member of what was sent. */
export const wrong = (expression: string, sentence: string) =>
  new Fault('invalid', sentence, { code: 'value', expression });
