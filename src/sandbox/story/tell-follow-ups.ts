// Follow-ups that fall due, are done, or are missed. What happened to several patients in the same minute is one line.
import type { Task } from '@medplum/fhirtypes';
import { before, type Event, eventsAbout, grouped, type Telling } from './event.ts';
import { type FollowUp, followUpOf, isEscalation, isLate, listed, nameOf } from './facts.ts';
import type { Happening } from './page.ts';

interface Step {
  readonly event: Event<Task>;
  readonly now: FollowUp;
  readonly was: FollowUp;
}

export async function tellFollowUps(events: readonly Event[], telling: Telling): Promise<Happening[]> {
  const steps = await stepsOf(events, telling);
  const due = steps.filter(({ now, was }) => now.clock === 'due' && was.clock !== 'due');
  const done = steps.filter(({ now, was }) => now.status === 'completed' && was.status !== 'completed');
  const missed = steps.filter(({ now, was }) => isLate(now) && !isLate(was));
  const escalated = steps.filter(({ now, was }) => now.clock === 'escalated' && isLate(was));
  const lines: Happening[] = [];

  const byPatient = grouped(due, (step) => `${minuteOf(step)} ${step.now.patient}`);
  const titles = (group: readonly Step[]) => listed(group.map(({ now }) => now.title));
  for (const same of grouped(byPatient, (group) => `${minuteOf(group[0])} ${titles(group)}`)) {
    const [first = []] = same;
    const who = await names(
      telling,
      same.flatMap((group) => group[0] ?? []),
    );
    if (first[0]) lines.push({ at: first[0].event.at, text: `Due now for ${who}: ${titles(first)}.` });
  }

  for (const same of grouped(done, (step) => `${minuteOf(step)} ${step.now.title} ${step.event.entry.origin}`)) {
    const [first] = same;
    if (!first) continue;
    const { entry, at } = first.event;
    const where = entry.origin ? `in the EHR "${entry.origin}"; Baton has pulled it back` : 'in Baton';
    const text = `Done for ${await names(telling, same)}: ${first.now.title}, ${where}.`;
    lines.push({ at, text, ...(same.length === 1 ? { link: telling.link(entry.type, entry.id) } : {}) });
  }

  for (const step of missed) {
    const above = escalationOf(events, step);
    const { entry } = above ?? step.event;
    const next = above
      ? 'Baton escalates it to a supervisor.'
      : 'Baton tells its owner; backup and supervisor are next.';
    const text = `Missed for ${await names(telling, [step])}: ${step.now.title}. ${next}`;
    lines.push({ at: step.event.at, text, link: telling.link(entry.type, entry.id) });
  }

  for (const step of escalated) {
    const above = escalationOf(events, step);
    if (!above) continue;
    const text = `Still open for ${await names(telling, [step])}: ${step.now.title}. Baton escalates it to a supervisor.`;
    lines.push({ at: step.event.at, text, link: telling.link(above.entry.type, above.entry.id) });
  }
  return lines;
}

/** Every change of a follow-up, with what it was before. */
async function stepsOf(events: readonly Event[], { store }: Telling): Promise<Step[]> {
  const steps: Step[] = [];
  for (const event of eventsAbout(events, 'Task')) {
    const now = isEscalation(event.now) ? undefined : followUpOf(event.now);
    const earlier = now && (await before(event, store));
    const was = earlier && followUpOf(earlier);
    if (now && was) steps.push({ event, now, was });
  }
  return steps;
}

const minuteOf = (step: Step | undefined): string => step?.event.at.round('minute').toString() ?? '';

async function names({ store }: Telling, steps: readonly Step[]): Promise<string> {
  return listed(await Promise.all(steps.map(({ now }) => nameOf(store, now.patient))));
}

/** The supervisor's Task about a follow-up. */
function escalationOf(events: readonly Event[], { event }: Step): Event<Task> | undefined {
  const reference = `Task/${event.entry.id}`;
  return eventsAbout(events, 'Task').find(({ now }) => isEscalation(now) && now.focus?.reference === reference);
}
