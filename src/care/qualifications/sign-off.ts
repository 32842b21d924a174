// Who may sign off what. Which credentials count, is a ValueSet of profiles/.
import type { Patient, Practitioner } from '@medplum/fhirtypes';
import signers from '../../../profiles/value-sets/medication-reconciliation-signer.json' with { type: 'json' };
import { Fault } from '../../fault.ts';
import { parseLiteral } from '../../fhir/references.ts';
import type { Caller, Kept, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { type HeldQualification, qualificationsOf } from './qualification.ts';

const ACCEPTED = { 'medication-reconciliation': codesOf(signers) } as const;

export type SignOff = keyof typeof ACCEPTED;
export const SIGN_OFFS = Object.keys(ACCEPTED) as SignOff[];

/**
 * The person, when they may.
 * @param state where the patient lives, two letters; absent when it is not known
 * @throws Fault forbidden that says what is missing
 */
export async function requireQualified(
  records: Records,
  caller: Caller,
  signOff: SignOff,
  state: string | undefined,
): Promise<Kept<'Practitioner'>> {
  const practitioner = await practitionerBehind(records, caller.who.reference);
  if (!practitioner) throw refused('Only a person who is stored as a Practitioner can sign this off.');
  const missing = whatIsMissing(practitioner, signOff, caller, state);
  if (missing !== undefined) throw refused(missing);
  return practitioner;
}

/** Why the person may not sign it off; undefined when they may. */
export function whatIsMissing(
  practitioner: Practitioner,
  signOff: SignOff,
  { now, zone }: Pick<Caller, 'now' | 'zone'>,
  state?: string,
): string | undefined {
  if (practitioner.active === false) return 'The record of the person is not active.';
  const fitting = qualificationsOf(practitioner, now, zone).filter((one) => counts(one, signOff));
  if (fitting.length === 0) {
    return 'It needs a registered nurse, a pharmacist or a prescriber, and no such qualification is recorded.';
  }
  const current = fitting.filter(({ view }) => view.standing === 'current');
  const [first] = fitting;
  if (current.length === 0) return `The qualification it needs is ${STANDING[first?.view.standing ?? 'inactive']}.`;
  const covers = ({ view }: HeldQualification) =>
    view.states.length === 0 || state === undefined || view.states.includes(state);
  if (!current.some(covers)) return `The licence does not cover ${state}, where the patient lives.`;
  return undefined;
}

const STANDING = {
  current: 'current',
  expired: 'expired',
  'not-yet-valid': 'not valid yet',
  inactive: 'not active',
} as const;

function counts({ code }: HeldQualification, signOff: SignOff): boolean {
  return code.coding?.some((one) => ACCEPTED[signOff].has(`${one.system}|${one.code}`)) ?? false;
}

/** The person behind a reference to a Practitioner or to one of their roles. */
export async function practitionerBehind(
  records: Pick<Records, 'read'>,
  reference: string | undefined,
): Promise<Kept<'Practitioner'> | undefined> {
  const target = parseLiteral(reference ?? '');
  if (target?.type === 'Practitioner') return records.read('Practitioner', target.id);
  if (target?.type !== 'PractitionerRole') return undefined;
  const id = idOf((await records.read('PractitionerRole', target.id))?.practitioner, 'Practitioner');
  return id === undefined ? undefined : records.read('Practitioner', id);
}

/** Two letters; undefined when no address says it. */
export function homeStateOf({ address = [] }: Patient): string | undefined {
  const home = address.find(({ use }) => use === 'home') ?? address[0];
  return home?.state?.toUpperCase();
}

function codesOf({ compose }: typeof signers): ReadonlySet<string> {
  return new Set(compose.include.flatMap(({ system, concept }) => concept.map(({ code }) => `${system}|${code}`)));
}

function refused(sentence: string): Fault {
  return new Fault('forbidden', sentence, { expression: 'Practitioner.qualification' });
}
