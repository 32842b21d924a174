// Admissions, discharges, and discharges that were taken back.
import type { Encounter } from '@medplum/fhirtypes';
import { before, type Event, eventsAbout, type Telling } from './event.ts';
import { diagnosisOf, lowerFirst, nameOf, wordsOf } from './facts.ts';
import type { Happening } from './page.ts';

export async function tellStays(events: readonly Event[], telling: Telling): Promise<Happening[]> {
  const lines: Happening[] = [];
  for (const event of eventsAbout(events, 'Encounter')) {
    const text = await sentence(event, telling);
    if (text) lines.push({ at: event.at, text });
  }
  return lines;
}

async function sentence(event: Event<Encounter>, { store }: Telling): Promise<string | undefined> {
  const { now } = event;
  const earlier = await before(event, store);
  if (earlier?.status === now.status) return undefined;
  const who = await nameOf(store, now.subject?.reference);
  if (now.status === 'finished') {
    const where = lowerFirst(wordsOf(now.hospitalization?.dischargeDisposition));
    return `${who} leaves the hospital${where ? `: ${where}` : ''}.`;
  }
  if (earlier?.status === 'finished') return `The hospital takes the discharge of ${who} back.`;
  const about = await diagnosisOf(store, now);
  return `${who} is admitted${about ? `: ${about}` : ''}.`;
}
