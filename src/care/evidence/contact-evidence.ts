// The interactive contact within two business days (CMS TCM): reached in time, or tried often enough in time.
import type { Communication } from '@medplum/fhirtypes';
import { addBusinessDays } from '../business-calendar.ts';
import { viewContact } from '../contacts/contact-view.ts';
import { type CountingFacts, judgeContact } from '../contacts/counted-contact.ts';
import { endOfDay, toFhirDateTime } from '../local-time.ts';
import { present } from '../present.ts';
import type { Kept } from '../records.ts';
import { referenceTo } from '../reference-to.ts';
import { isToReach } from '../transition/attempts.ts';
import { creditedAt, separate } from '../transition/credit.ts';
import {
  dayOfDischarge,
  doneFollowUps,
  type EvidenceFacts,
  type Moment,
  momentOf,
  type Proved,
  proofOf,
} from './evidence-facts.ts';
import type { TcmRules } from './evidence-rules.ts';
import type { Finding } from './evidence-schema.ts';

interface Contact extends Proved {
  readonly party: string | undefined;
}

/** Attempts with patient or caregiver since the discharge, and those that reached somebody; the oldest first. */
export function contactsOf(facts: EvidenceFacts): { readonly reached: Contact[]; readonly attempts: Contact[] } {
  const followUps = new Set(facts.tasks.filter(isToReach).map((task) => referenceTo(task).reference));
  const counting = { named: facts.named, followUps };
  const all = facts.contacts.flatMap((communication) => readContact(communication, facts, counting));
  const inOrder = all.toSorted((a, b) => Temporal.Instant.compare(a.at, b.at));
  return {
    reached: inOrder.filter(({ isReached }) => isReached),
    attempts: inOrder.filter(({ isOurs, isReached }) => isOurs && !isReached),
  };
}

/** Before the discharge nothing counts. */
function readContact(communication: Communication, facts: EvidenceFacts, counting: CountingFacts) {
  const { reached, attempt, party } = judgeContact(communication, counting);
  if (!reached && !attempt) return [];
  const { started, by } = viewContact(communication as Kept<'Communication'>, facts.episode.id ?? '');
  const moment = momentOf(started, facts.zone);
  if (!moment || Temporal.Instant.compare(moment.at, facts.discharge) < 0) return [];
  return { ...moment, by, party, proof: proofOf(communication), isReached: reached, isOurs: attempt };
}

/** States: on-time, credited, late, attempted, pending, missed. */
export function contactFinding(facts: EvidenceFacts, rules: TcmRules): Finding {
  const { zone, calendar, now } = facts;
  const due = endOfDay(addBusinessDays(calendar, dayOfDischarge(facts), rules.contactBusinessDays), zone);
  const { reached: logged, attempts } = contactsOf(facts);
  const reached = [...logged, ...tasksDone(facts)].toSorted((a, b) => Temporal.Instant.compare(a.at, b.at));
  const inTime = ({ at }: Moment) => Temporal.Instant.compare(at, due) <= 0;
  const shared = {
    code: 'contact',
    title: `Interactive contact within ${rules.contactBusinessDays} business days`,
    due: toFhirDateTime(due, zone),
  };
  const [first] = reached;
  const told = (one: Contact) => ({ when: one.text, by: one.by, proof: one.proof });
  if (first && inTime(first))
    return present<Finding>({ ...shared, state: 'on-time', met: true, because: undefined, ...told(first) });
  const counted = separate(attempts.filter(inTime), { minutes: rules.attemptsApartMinutes });
  const proof = counted.flatMap((one) => one.proof);
  if (counted.length >= rules.attempts) {
    const last = counted[rules.attempts - 1];
    return present<Finding>({
      ...shared,
      state: 'credited',
      met: true,
      when: first?.text ?? last?.text,
      by: first?.by ?? last?.by,
      because: `${counted.length} separate attempts in time${first ? '; reached later' : '; keep trying until somebody is reached'}`,
      proof: [...proof, ...(first?.proof ?? [])],
    });
  }
  const isOver = Temporal.Instant.compare(now, due) > 0;
  if (first) {
    return present<Finding>({
      ...shared,
      state: 'late',
      met: false,
      because: `Only ${counted.length} attempts in time`,
      ...told(first),
    });
  }
  const state = isOver ? 'missed' : counted.length > 0 ? 'attempted' : 'pending';
  return { ...shared, state, met: false, because: `${counted.length} attempts in time`, proof };
}

/** A follow-up that somebody completed, here or at another system, without logging the contact. */
function tasksDone(facts: EvidenceFacts): Contact[] {
  return doneFollowUps(facts, 'interactive-contact').flatMap(({ task, when, by, proof }) => {
    const moment = momentOf(when, facts.zone);
    const isBefore = moment && Temporal.Instant.compare(moment.at, facts.discharge) < 0;
    if (!moment || isBefore || creditedAt(task) !== undefined) return [];
    return [{ ...moment, by, party: undefined, proof }];
  });
}
