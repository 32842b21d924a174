// Warnings that everybody who cares for a patient should see: safety, infection control, risk of falls.
import { randomUUID } from 'node:crypto';
import type { Flag } from '@medplum/fhirtypes';
import Type, { type Static } from 'typebox';
import { Fault } from '../../fault.ts';
import { caseAtHand, type OnCase, type OnItem, workableCase } from '../case-at-hand.ts';
import { Coded, codedOf, conceptOf } from '../coded.ts';
import { concept } from '../concept.ts';
import { Day, requireOrder, requirePast, today } from '../given-time.ts';
import { LinkedOut, linkedOf } from '../linked.ts';
import type { Caller, Kept, Planned, Records } from '../records.ts';
import { referenceTo } from '../reference-to.ts';
import { idOf } from '../stored.ts';

const CATEGORY = 'http://terminology.hl7.org/CodeSystem/flag-category';
const CATEGORIES = {
  diet: 'Diet',
  drug: 'Drug',
  lab: 'Lab',
  admin: 'Administrative',
  contact: 'Subject Contact',
  clinical: 'Clinical',
  behavioral: 'Behavioral',
  research: 'Research',
  'advance-directive': 'Advance Directive',
  safety: 'Safety',
} as const;
const CODES = Object.keys(CATEGORIES) as (keyof typeof CATEGORIES)[];

const strict = { additionalProperties: false } as const;

export const FlagRaised = Type.Object(
  {
    category: Type.Enum([...CODES]),
    warning: Type.Object(
      { ...Coded.properties },
      { ...strict, minProperties: 1, description: 'A code of CodeSystem flag-kind or another, words, or both' },
    ),
    since: Type.Optional(Day),
    until: Type.Optional(Day),
  },
  strict,
);
export type FlagRaised = Static<typeof FlagRaised>;

export const FlagEnd = Type.Object({ on: Type.Optional(Day) }, strict);
export type FlagEnd = Static<typeof FlagEnd>;

export const FlagView = Type.Object({
  id: Type.String(),
  version: Type.String(),
  status: Type.String(),
  category: Type.Optional(Coded),
  warning: Type.Optional(Coded),
  since: Type.Optional(Type.String()),
  until: Type.Optional(Type.String()),
  raisedBy: Type.Optional(LinkedOut),
});
export type FlagView = Static<typeof FlagView>;

/** @throws Fault not-found; unprocessable for a beginning to come, or an end before it */
export async function raiseFlag(
  records: Records,
  caller: Caller,
  { caseId, body }: OnCase<FlagRaised>,
): Promise<Planned> {
  const { patient } = await workableCase(records, caseId);
  const { category, warning, since = today(caller), until } = body;
  requirePast(since, 'since', caller);
  if (until) requireOrder(since, until, ['since', 'until'], caller);
  const resource: Flag = {
    resourceType: 'Flag',
    status: 'active',
    category: [concept(CATEGORY, category, CATEGORIES[category])],
    code: conceptOf(warning),
    subject: referenceTo(patient),
    period: { start: since, ...(until ? { end: until } : {}) },
    author: caller.who as NonNullable<Flag['author']>,
  };
  return { changes: [{ op: 'create', resource, id: randomUUID() }], about: 0 };
}

/** @throws Fault not-found; unprocessable when it is not active, or for a day to come */
export async function endFlag(
  records: Records,
  caller: Caller,
  { caseId, id, body }: OnItem<FlagEnd>,
): Promise<Planned> {
  await workableCase(records, caseId);
  const flag = await flagOf(records, caseId, id);
  if (flag.status !== 'active') {
    throw new Fault('unprocessable', `The flag is ${flag.status} already.`, {
      expression: 'Flag.status',
      code: 'business-rule',
    });
  }
  const { on = today(caller) } = body;
  requirePast(on, 'on', caller);
  const start = flag.period?.start;
  if (start && start.slice(0, 10) > on) requireOrder(start, on, ['since', 'on'], caller);
  const resource: Flag = { ...flag, status: 'inactive', period: { ...flag.period, end: on } };
  return { changes: [{ op: 'update', resource, ifMatch: flag.meta.versionId }], about: 0 };
}

/** The active ones first. @throws Fault not-found */
export async function listFlags(records: Records, caseId: string): Promise<FlagView[]> {
  const { patient } = await caseAtHand(records, caseId);
  const found = await records.find('Flag', { patient: `Patient/${patient.id}` });
  const rank = ({ status }: Flag) => (status === 'active' ? 0 : 1);
  return found
    .filter(({ status }) => status !== 'entered-in-error')
    .sort((a, b) => rank(a) - rank(b))
    .map(viewFlag);
}

/** @throws Fault not-found */
export async function showFlag(records: Records, caseId: string, id: string): Promise<FlagView> {
  return viewFlag(await flagOf(records, caseId, id));
}

export function viewFlag(flag: Kept<'Flag'>): FlagView {
  const category = codedOf(flag.category?.[0]);
  const warning = codedOf(flag.code);
  const raisedBy = linkedOf(flag.author);
  const { start, end } = flag.period ?? {};
  return {
    id: flag.id,
    version: flag.meta.versionId,
    status: flag.status,
    ...(category ? { category } : {}),
    ...(warning ? { warning } : {}),
    ...(start ? { since: start } : {}),
    ...(end ? { until: end } : {}),
    ...(raisedBy ? { raisedBy } : {}),
  };
}

async function flagOf(records: Records, caseId: string, id: string): Promise<Kept<'Flag'>> {
  const { patient } = await caseAtHand(records, caseId);
  const found = await records.read('Flag', id);
  if (found && idOf(found.subject, 'Patient') === patient.id) return found;
  throw new Fault('not-found', `The case has no flag ${id}.`);
}
