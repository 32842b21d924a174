// Small valid resources and an actor for tests of the store.
import type { Observation, Patient, Resource } from '@medplum/fhirtypes';
import { Fault } from '../../src/fault.ts';
import type { Change } from '../../src/fhir/change.ts';
import type { Actor, Outcome } from '../../src/store/store.ts';

export const NURSE: Actor = { reference: 'Practitioner/nurse', kind: 'user', requestId: 'request-1' };

/** A patient with one identifier in `urn:test`. */
export function patient(value: string, more: Partial<Patient> = {}): Patient {
  return { resourceType: 'Patient', identifier: [{ system: 'urn:test', value }], ...more };
}

/** An observation about `subject`, which is the text of a reference. */
export function observation(subject: string, more: Partial<Observation> = {}): Observation {
  return {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'note' },
    subject: { reference: subject },
    ...more,
  };
}

export function create(resource: Resource, more: Partial<Extract<Change, { op: 'create' }>> = {}): Change {
  return { op: 'create', resource, ...more };
}

export function update(resource: Resource, more: Partial<Extract<Change, { op: 'update' }>> = {}): Change {
  return { op: 'update', resource, ...more };
}

/** The content of an outcome, parsed. */
export function contentOf<T extends Resource>(outcome: Outcome | undefined): T {
  return JSON.parse(outcome?.content ?? '') as T;
}

/** The Fault that `promise` fails with; anything else fails the test. */
export async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('It should have failed.');
}
