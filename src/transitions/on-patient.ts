// A patient's death ends the transitions that are under way; taken back, the last one goes on.
import { parseVersion } from '../care/stored.ts';
import type { LogEntry } from '../store/store.ts';
import { liveTransitions } from './facts.ts';
import type { Parts } from './parts.ts';
import { NOTHING, type Reaction, withdrawAll } from './reaction.ts';
import { resumeLast } from './resume.ts';

export async function reactToPatient(parts: Parts, entry: LogEntry): Promise<Reaction> {
  if (entry.operation === 'delete') return NOTHING;
  const patient = parseVersion(entry, 'Patient');
  const reference = `Patient/${entry.id}`;
  if (!patient.deceasedBoolean && !patient.deceasedDateTime) {
    return resumeLast(parts, { subject: { reference } }, 'died');
  }
  return withdrawAll(parts.store, await liveTransitions(parts, reference), 'died', parts.clock.now());
}
