// What the identifiers of two patients say: the same number of a trusted system makes them one, another number of the same
// system makes them two. Pure.
import type { Identifier, Patient } from '@medplum/fhirtypes';
import type { Degree, MatchRules } from './rules.ts';

export interface IdentifierVerdict {
  /** They share a number of a system that decides alone. */
  readonly shared: boolean;
  /** Degree of all numbers that do not decide: supporting ones, and other numbers of a trusted system. */
  readonly number: Degree | undefined;
  /** A trusted system gave each of them another number. */
  readonly contradicts: boolean;
}

/** Whether an identifier decides alone. */
export type Trusts = (identifier: Identifier) => boolean;

/** @param systems only these decide alone; when absent, all but the supporting ones */
export function trustOf({ supporting }: Pick<MatchRules, 'supporting'>, systems?: readonly string[]): Trusts {
  return ({ system, type }) => {
    if (system === undefined || supporting.systems.includes(system)) return false;
    if (type?.coding?.some(({ code }) => code !== undefined && supporting.types.includes(code))) return false;
    return systems === undefined || systems.includes(system);
  };
}

export function compareIdentifiers(left: Patient, right: Patient, trusts: Trusts): IdentifierVerdict {
  const [a, b] = [bySystem(left), bySystem(right)];
  let [shared, contradicts] = [false, false];
  const supporting: boolean[] = [];
  for (const [system, mine] of a) {
    const theirs = b.get(system);
    if (!theirs) continue;
    const agree = mine.some(({ value }) => theirs.some((other) => other.value === value));
    if (![...mine, ...theirs].every(trusts)) supporting.push(agree);
    else if (agree) shared = true;
    else contradicts = true;
  }
  const number = contradicts || supporting.includes(false) ? 'different' : supporting.length > 0 ? 'equal' : undefined;
  return { shared, contradicts, number };
}

/** Current identifiers; one that was in use earlier contradicts nobody. */
function bySystem({ identifier = [] }: Patient): Map<string, Identifier[]> {
  const found = new Map<string, Identifier[]>();
  for (const one of identifier) {
    if (!one.system || !one.value || one.use === 'old' || one.use === 'temp') continue;
    found.set(one.system, [...(found.get(one.system) ?? []), one]);
  }
  return found;
}
