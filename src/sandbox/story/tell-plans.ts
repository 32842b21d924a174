// Plans that Baton made, with the risk that led to them, and plans that it withdrew.
import type { CarePlan } from '@medplum/fhirtypes';
import { hasCode } from '../../care/concept.ts';
import { CODE_SYSTEM } from '../../care/systems.ts';
import { before, type Event, eventsAbout, type Telling } from './event.ts';
import { counted, followUpOf, isEscalation, lowerFirst, nameOf } from './facts.ts';
import { type Happening, localMoment } from './page.ts';

export async function tellPlans(events: readonly Event[], telling: Telling): Promise<Happening[]> {
  const lines: Happening[] = [];
  for (const event of eventsAbout(events, 'CarePlan')) {
    const told = await tellPlan(event, events, telling);
    if (told) lines.push(told);
  }
  return lines;
}

async function tellPlan(
  event: Event<CarePlan>,
  events: readonly Event[],
  { store, zone, link }: Telling,
): Promise<Happening | undefined> {
  const { now, at, entry } = event;
  const earlier = await before(event, store);
  const withdrawn = earlier && !isOver(earlier) && isOver(now);
  if (earlier && !withdrawn) return undefined;
  const who = await nameOf(store, now.subject.reference);
  const tasks = tasksOf(events, now.subject.reference);
  const about = { at, link: link(entry.type, entry.id) };
  if (withdrawn) {
    const gone = tasks.filter(({ status }) => status === 'cancelled' || status === 'entered-in-error').length;
    return { ...about, text: `Baton withdraws the plan for ${who} and ${counted(gone, 'follow-up')}.` };
  }
  const made = tasks.filter(({ isNew }) => isNew);
  const contact = made.find(({ step }) => step === 'contact')?.deadline;
  const deadline = contact ? `, first contact by ${localMoment(contact, zone)}` : '';
  return {
    ...about,
    text: `Baton plans for ${who}: ${lowerFirst(now.title ?? 'a plan')}${riskOf(events, now)}.`,
    more: `${counted(made.length, 'follow-up')}${deadline}.`,
  };
}

const isOver = ({ status }: CarePlan) => status === 'revoked' || status === 'entered-in-error';

function tasksOf(events: readonly Event[], patient: string | undefined) {
  return eventsAbout(events, 'Task').flatMap(({ now, entry }) => {
    const told = isEscalation(now) ? undefined : followUpOf(now);
    return told && told.patient === patient ? [{ ...told, isNew: entry.versionId === '1' }] : [];
  });
}

/** How Baton explains the score, e.g. ` (LACE 12 = L 4 + A 3 + C 5 + E 0)`. */
function riskOf(events: readonly Event[], plan: CarePlan): string {
  const assessment = eventsAbout(events, 'RiskAssessment').find(
    ({ now }) =>
      now.subject.reference === plan.subject.reference && hasCode(now.method, CODE_SYSTEM.riskMethod, 'lace'),
  );
  const why = assessment?.now.prediction?.[0]?.rationale;
  return why ? ` (${why})` : '';
}
