// Any failure as what the sender is told.
import { asFault, FAULTS, Fault } from '../fault.ts';
import { Refusal } from './refusal.ts';

/** A failure that is nobody's refusal is an AE, so that the message is sent again. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const fault = asFault(error);
  const where = fault.issues.flatMap((issue) => issue.expression ?? []).join(', ');
  if (where && (fault.kind === 'unprocessable' || fault.kind === 'invalid')) {
    return new Refusal('AE', '207', `The message gives resources that FHIR does not allow: ${where}.`);
  }
  if (isLostRace(error)) {
    return new Refusal('AE', '207', 'Others keep changing the same patient; send the message again.');
  }
  const text = isTransient(error)
    ? 'The store cannot take the message now; send it again later.'
    : 'Internal error; nothing was stored. Send the message again.';
  return new Refusal('AE', '207', text);
}

/** Somebody else was faster. */
export function isLostRace(error: unknown): boolean {
  return error instanceof Fault && (error.kind === 'conflict' || error.kind === 'precondition');
}

export function isTransient(error: unknown): boolean {
  return FAULTS[asFault(error).kind].retry === 'transient';
}
