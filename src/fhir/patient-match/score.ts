// How alike two patient records are: each field that both have adds what its degree of agreement is worth. Pure, and the
// same for both orders. docs/patient-matching.md
import type { Patient } from '@medplum/fhirtypes';
import { compareDates } from './compare-dates.ts';
import { compareIdentifiers, type Trusts } from './compare-identifiers.ts';
import { compareNames } from './compare-names.ts';
import { emailAddress, phoneDigits, postalCode, streetLine } from './normal-form.ts';
import type { Degree, FieldScore, MatchField, MatchRules, MatchScore } from './rules.ts';

export function scoreMatch(left: Patient, right: Patient, rules: MatchRules, trusts: Trusts): MatchScore {
  const degrees: Partial<Record<MatchField, Degree | undefined>> = {
    ...compareNames(left, right, rules),
    birthDate: left.birthDate && right.birthDate ? compareDates(left.birthDate, right.birthDate) : undefined,
    birthOrder: compareBirthOrder(left, right),
    gender: compareGender(left, right),
    telecom: compareTelecom(left, right),
    address: compareAddress(left, right),
    number: compareIdentifiers(left, right, trusts).number,
  };
  const fields: FieldScore[] = [];
  for (const [field, degree] of Object.entries(degrees) as [MatchField, Degree | undefined][]) {
    if (degree !== undefined) fields.push({ field, degree, score: rules.weights[field]?.[degree] ?? 0 });
  }
  const total = fields.reduce((sum, { score }) => sum + score, 0);
  const certain =
    rules.mustBeEqual.every((field) => degrees[field] === 'equal') &&
    rules.mustNotDiffer.every((field) => degrees[field] !== 'different');
  const { match, possible } = rules.thresholds;
  return { total, fields, verdict: total >= match && certain ? 'match' : total >= possible ? 'possible' : 'no' };
}

function compareBirthOrder(left: Patient, right: Patient): Degree | undefined {
  const [a, b] = [left.multipleBirthInteger, right.multipleBirthInteger];
  if (a === undefined || b === undefined) return undefined;
  return a === b ? 'equal' : 'different';
}

function compareGender(left: Patient, right: Patient): Degree | undefined {
  const said = ({ gender }: Patient) => (gender === 'unknown' ? undefined : gender);
  const [a, b] = [said(left), said(right)];
  if (a === undefined || b === undefined) return undefined;
  return a === b ? 'equal' : 'different';
}

/** A telephone number or an address of electronic mail in common; people have several, so that others say little. */
function compareTelecom(left: Patient, right: Patient): Degree | undefined {
  const [a, b] = [contactsOf(left), contactsOf(right)];
  if (a.some((one) => b.includes(one))) return 'equal';
  return a.length > 0 && b.length > 0 ? 'different' : undefined;
}

function contactsOf({ telecom = [] }: Patient): string[] {
  const texts = telecom.map(({ system, value = '' }) => {
    if (system === 'email') return emailAddress(value);
    return system === 'phone' || system === 'sms' ? phoneDigits(value) : '';
  });
  return texts.filter((text) => text !== '');
}

function compareAddress(left: Patient, right: Patient): Degree | undefined {
  const [a, b] = [addressesOf(left), addressesOf(right)];
  if (a.length === 0 || b.length === 0) return undefined;
  const pairs = a.flatMap((one) => b.map((other) => [one, other] as const));
  const postal = pairs.filter(([one, other]) => one.postal === other.postal);
  if (postal.some(([one, other]) => one.line !== '' && one.line === other.line)) return 'equal';
  return postal.length > 0 ? 'postal' : 'different';
}

function addressesOf({ address = [] }: Patient): { postal: string; line: string }[] {
  return address.flatMap((one) => {
    const postal = postalCode(one.postalCode ?? '');
    return postal === '' ? [] : [{ postal, line: streetLine(one.line?.join(' ') ?? '') }];
  });
}
