// What is done for one patient: referral, tasks, messages.
import { concept, dateOf, type Reference, type Resource, SNOMED, timeOf } from './resource.ts';
import { chance, pick, uuidOf } from './seeded.ts';

const STATUSES = [
  'requested',
  'requested',
  'in-progress',
  'completed',
  'requested',
  'in-progress',
  'cancelled',
] as const;
const PRIORITIES = ['routine', 'routine', 'routine', 'urgent', 'asap', 'stat'] as const;
const STEPS = ['Call within two days', 'Visit within a week', 'Review the medication', 'Review the plan'];

export interface CareOf {
  readonly n: number;
  readonly subject: Reference;
  readonly encounter: Reference;
  readonly owner: Reference;
  readonly plan: Reference;
  readonly day: number;
}

/** The n-th patient's task of one step, in the status it is loaded with or in another. */
export function taskOf(step: number, care: CareOf, status = pick(STATUSES, care.n, 20 + step)): Resource {
  const { n, subject, encounter, owner, plan, day } = care;
  const from = day + 2 + step * 7 + chance(n, 30 + step, 5);
  return {
    resourceType: 'Task',
    id: taskId(n, step),
    identifier: [{ system: 'urn:bench:task', value: `${n}-${step}` }],
    basedOn: [plan],
    status,
    intent: 'order',
    priority: pick(PRIORITIES, n, 40 + step),
    code: { ...concept(SNOMED, '185317003', 'Telephone encounter'), text: STEPS[step] },
    description: STEPS[step],
    for: subject,
    encounter,
    authoredOn: timeOf(day, 15),
    lastModified: timeOf(day, 15, 30),
    owner,
    restriction: { period: { start: timeOf(from, 8), end: timeOf(from + 3, 17) } },
  };
}

export const taskId = (n: number, step: number) => uuidOf(`task ${step} ${n}`);

/** A referral, four tasks and a message. */
export function workOf(care: CareOf): Resource[] {
  const { n, subject, encounter, owner, plan, day } = care;
  return [
    {
      resourceType: 'ServiceRequest',
      id: uuidOf(`referral ${n}`),
      basedOn: [plan],
      status: 'active',
      intent: 'order',
      category: [concept(SNOMED, '306206005', 'Referral to service')],
      code: { ...concept(SNOMED, '385763009', 'Hospice care'), text: 'Home health nursing' },
      subject,
      encounter,
      occurrencePeriod: { start: dateOf(day + 3), end: dateOf(day + 33) },
      requester: owner,
    },
    ...[0, 1, 2, 3].map((step) => taskOf(step, care)),
    {
      resourceType: 'Communication',
      id: uuidOf(`message ${n}`),
      basedOn: [plan],
      status: 'completed',
      category: [{ text: 'outreach' }],
      subject,
      encounter,
      sent: timeOf(day + 1, 10, chance(n, 60, 60)),
      recipient: [subject],
      sender: owner,
      payload: [{ contentString: `We call you on ${dateOf(day + 2)} about how you are doing at home.` }],
    },
  ];
}
