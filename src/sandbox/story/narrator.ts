// Tells what Baton did, from Baton's own log: what is not stored has not happened, and a restart tells nothing twice.
import type { LogEntry } from '../../store/store.ts';
import { eventsOf, type Telling } from './event.ts';
import type { Happening } from './page.ts';
import { tellFollowUps } from './tell-follow-ups.ts';
import { tellPlans } from './tell-plans.ts';
import { tellStays } from './tell-stays.ts';

/** @param entries consecutive log entries, oldest first */
export async function narrate(entries: readonly LogEntry[], telling: Telling): Promise<Happening[]> {
  const events = eventsOf(entries);
  const told = [
    ...(await tellStays(events, telling)),
    ...(await tellPlans(events, telling)),
    ...(await tellFollowUps(events, telling)),
  ];
  // Stable: what happened in one commit stays in the order patient, plan, follow-ups.
  return told.sort((a, b) => Temporal.Instant.compare(a.at, b.at));
}
