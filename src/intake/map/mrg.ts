// MRG -> the identifiers that are given up: of persons (A40, A47), of accounts and visits (A06, A07, A41, A45).
import { Refusal } from '../refusal.ts';
import { type Identified, readIdentifier } from './identifier.ts';
import { type Reading, requireSegment } from './reading.ts';

/**
 * MRG-1 of the group that `index` counts, each as an old identifier.
 * @param groups how many PID there are; each must have its MRG
 * @throws Refusal AE 100 when PID and MRG do not pair, 101 when MRG-1 is empty or the same as PID-3
 */
export function readMergedPersons({ message, facility }: Reading, index: number, groups: number): Identified[] {
  requireSegment(message, 'MRG');
  const all = message.segments('MRG');
  const mrg = all[index];
  if (!mrg || all.length !== groups) throw new Refusal('AE', '100', 'Every PID needs one MRG.', 'MRG');
  const kept = message
    .segments('PID')
    [index]?.all(3)
    .flatMap((field) => readIdentifier(field, facility.code) ?? []);
  const given = mrg.all(1).flatMap((field) => readIdentifier(field, facility.code) ?? []);
  const retired = given.filter(
    (old) => !kept?.some(({ system, value }) => system === old.system && value === old.value),
  );
  if (retired.length === 0) {
    throw new Refusal('AE', '101', 'MRG-1 must hold another identifier than PID-3.', mrg.at(1));
  }
  return retired.map(asOld);
}

/**
 * MRG-5, the visit number before, and MRG-3, the account before.
 * @throws Refusal AE 207 when more than one visit is joined at once
 */
export function readMergedVisits({ message, facility }: Reading): {
  readonly formerly: readonly Identified[];
  readonly accounts: readonly Identified[];
} {
  const [mrg, second] = message.segments('MRG');
  if (second) throw new Refusal('AE', '207', 'Send one visit or account at a time.', 'MRG');
  const old = (field: number, type: string) => {
    const identifier = mrg && readIdentifier(mrg.first(field), facility.code, type);
    return identifier ? [asOld(identifier)] : [];
  };
  return { formerly: old(5, 'VN'), accounts: old(3, 'AN') };
}

const asOld = (identifier: Identified): Identified => ({ ...identifier, use: 'old' });
