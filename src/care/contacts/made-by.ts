// Who of us made a contact: the person who logs it, or, where an application logs it for somebody, whom it names.
import type { Reference } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { knownResource } from '../known-resource.ts';
import { typeOfParty } from '../party.ts';
import type { Caller, Records } from '../records.ts';
import type { LogContact } from './contact-schema.ts';

const MAKERS = ['Practitioner', 'PractitionerRole'] as const;

/** @throws Fault unprocessable when a person names somebody else, or who is named is not there or has left */
export async function madeBy(records: Records, caller: Caller, { by }: Pick<LogContact, 'by'>): Promise<Reference> {
  if (!by || by.reference === caller.who.reference) return caller.who;
  if (typeOfParty(caller.who) !== undefined) {
    throw refuse('by names somebody else: people log the contacts that they made themselves.');
  }
  const { active } = await knownResource(records, {}, by.reference, MAKERS, 'by');
  if (active === false) throw refuse(`by leads to ${by.reference}, who is not active.`);
  return by;
}

const refuse = (sentence: string) => new Fault('unprocessable', sentence, { expression: 'by', code: 'business-rule' });
