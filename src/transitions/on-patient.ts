// A patient's death ends the transitions that are under way.
import { parseVersion } from '../care/stored.ts';
import type { LogEntry } from '../store/store.ts';
import { liveTransitions } from './facts.ts';
import type { Parts } from './parts.ts';
import { NOTHING, type Reaction, withdrawAll } from './reaction.ts';

export async function reactToPatient(parts: Parts, entry: LogEntry): Promise<Reaction> {
  if (entry.operation === 'delete') return NOTHING;
  const patient = parseVersion(entry, 'Patient');
  if (!patient.deceasedBoolean && !patient.deceasedDateTime) return NOTHING;
  return withdrawAll(parts.store, await liveTransitions(parts, `Patient/${entry.id}`), 'died', parts.clock.now());
}
