// $break-glass: emergency access to one patient's record, for a person whose role may take it, with a reason and for a
// short time. Everything the person does meanwhile carries the id of the access in the audit trail.

import { mayActOn } from '../../../access/decide.ts';
import { beginEmergency } from '../../../access/emergency.ts';
import { Fault } from '../../../fault.ts';
import { isId } from '../../../fhir/request-url.ts';
import type { Answer, FhirContext, FhirRequest } from '../context.ts';
import { operationInput } from './input.ts';
import type { Operation } from './operation.ts';

export const BREAK_GLASS: Operation = {
  code: 'break-glass',
  at: ['instance'],
  types: ['Patient'],
  affectsState: true,
  definition: 'https://baton.health/fhir/OperationDefinition/break-glass',
  inputs: ['reason'],
  handler: breakGlass,
};

/** A reason is a sentence, not a keystroke. */
const SHORTEST_REASON = 10;
const LONGEST_REASON = 1_000;

async function breakGlass(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const { grant, params } = request;
  const { id = '' } = params;
  const minutes = grant.standing?.emergencyMinutes;
  if (grant.actor.kind !== 'user' || minutes === undefined) {
    throw new Fault('forbidden', "None of the user's roles may open a record in an emergency.");
  }
  if (!mayActOn(grant, id)) {
    const sentence = 'The token needs a user/ scope to read, or a patient/ scope of this patient.';
    throw new Fault('forbidden', sentence, { context: { scope: 'user/Patient.r' } });
  }
  const reason = operationInput(BREAK_GLASS, request).value('reason')?.trim() ?? '';
  if (reason.length < SHORTEST_REASON || reason.length > LONGEST_REASON) {
    const sentence = `Say why the record is needed now, in ${SHORTEST_REASON} to ${LONGEST_REASON} characters.`;
    throw new Fault('invalid', sentence, {
      code: 'required',
      expression: "Parameters.parameter.where(name = 'reason')",
    });
  }
  const patient = isId(id) ? await context.store.read('Patient', id) : undefined;
  if (!patient || patient.operation === 'delete') throw new Fault('not-found', `There is no Patient/${id}.`);
  const asked = { actor: grant.actor.reference, patient: id, reason, minutes };
  const { access, statement } = beginEmergency(context.clock, asked);
  const actor = { ...grant.actor, emergency: access.id, purposes: ['BTG'] };
  // Said first, so that the record goes into the same commit: there is no access that the trail does not know of.
  context.store.audit({ actor, interaction: 'break-glass', action: 'E', status: 201, type: 'Patient', id });
  await context.store.commit(grant.actor, [], [statement]);
  const until = Temporal.Instant.fromEpochMilliseconds(access.ends).toString({ smallestUnit: 'millisecond' });
  const parameter = [
    { name: 'id', valueString: access.id },
    { name: 'until', valueInstant: until },
  ];
  return { status: 201, body: JSON.stringify({ resourceType: 'Parameters', parameter }) };
}
