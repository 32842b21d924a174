// Which transitions can be reported as transitional care management, which wait for what, and which cannot be any more.
import Type, { type Static } from 'typebox';
import { LinkedOut, linkedOf } from '../linked.ts';
import { localDate, toFhirDateTime } from '../local-time.ts';
import { present } from '../present.ts';
import type { Caller, Kept, PagedRecords } from '../records.ts';
import { CODE_SYSTEM } from '../systems.ts';
import { dischargeOf } from '../transition/episode.ts';
import { TCM, TRC } from './evidence-rules.ts';
import { Reason } from './evidence-schema.ts';
import type { EvidenceSources } from './evidence-sources.ts';
import { gatherEvidence } from './gather-evidence.ts';
import { tcmEvidence } from './tcm.ts';

const Status = Type.Enum(['ready', 'waiting', 'impossible', 'reported']);

export const ReadinessQuery = Type.Object(
  {
    facility: Type.Optional(Type.String({ description: 'Id of the Organization that discharged' })),
    from: Type.Optional(Type.String({ format: 'date', description: 'First day of discharge' })),
    to: Type.Optional(Type.String({ format: 'date', description: 'Last day of discharge' })),
    status: Type.Optional(Status),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: '25 when absent' })),
    after: Type.Optional(Type.String({ description: '`next` of the page before' })),
  },
  { additionalProperties: false },
);
export type ReadinessQuery = Static<typeof ReadinessQuery>;

const ReadinessItem = Type.Object({
  transition: LinkedOut,
  patient: LinkedOut,
  facility: Type.Optional(LinkedOut),
  discharged: Type.String(),
  status: Status,
  code: Type.Optional(Type.String()),
  dateOfService: Type.Optional(Type.String()),
  periodEnd: Type.String(),
  because: Type.Array(Reason, { description: 'What it waits for, or why it is impossible' }),
  notChecked: Type.Array(Type.String(), { description: 'What is assumed: to be looked at before it is billed' }),
});

export const ReadinessList = Type.Object({ items: Type.Array(ReadinessItem), next: Type.Optional(Type.String()) });
export type ReadinessList = Static<typeof ReadinessList>;

const PAGE = 25;

/** Of one page of transitions; those of another status than asked for are left out of it. */
export async function listReadiness(
  records: PagedRecords,
  caller: Caller,
  sources: EvidenceSources,
  { facility, from, to, status, limit = PAGE, after }: ReadinessQuery,
): Promise<ReadinessList> {
  const page = await records.page(
    'EpisodeOfCare',
    {
      type: `${CODE_SYSTEM.episodeType}|transition-of-care`,
      ...(facility === undefined ? {} : { organization: `Organization/${facility}` }),
      // The search knows periods that overlap, in UTC; the day at the facility decides below.
      ...datesOf(from, to),
      _sort: '-date',
    },
    { most: limit, after },
  );
  const items: ReadinessList['items'] = [];
  for (const episode of page.items) {
    const item = await readinessOf(records, caller, sources, episode, { from, to });
    if (item && (status === undefined || item.status === status)) items.push(item);
  }
  return { items, ...(page.next === undefined ? {} : { next: page.next }) };
}

function datesOf(from: string | undefined, to: string | undefined): { date?: string[] } {
  const shifted = (day: string, days: number) => Temporal.PlainDate.from(day).add({ days }).toString();
  const dates = [
    ...(from === undefined ? [] : [`ge${shifted(from, -1)}`]),
    ...(to === undefined ? [] : [`le${shifted(to, 1)}`]),
  ];
  return dates.length > 0 ? { date: dates } : {};
}

async function readinessOf(
  records: PagedRecords,
  { now }: Caller,
  sources: EvidenceSources,
  episode: Kept<'EpisodeOfCare'>,
  asked: Pick<ReadinessQuery, 'from' | 'to'>,
): Promise<ReadinessList['items'][number] | undefined> {
  if (!(await isOfDays(sources, episode, asked))) return undefined;
  const facts = await gatherEvidence(records, sources, episode, now);
  if (!facts) return undefined;
  const { patient, discharge, zone } = facts;
  const { status, code, dateOfService, periodEnd, impossible, waitingFor, notChecked } = tcmEvidence(facts, TCM, TRC);
  return present<ReadinessList['items'][number]>({
    transition: { reference: `EpisodeOfCare/${episode.id}` },
    patient: { reference: `Patient/${patient.id}` },
    facility: linkedOf(episode.managingOrganization),
    discharged: toFhirDateTime(discharge, zone),
    ...{ status, code, dateOfService, periodEnd },
    because: [...impossible, ...waitingFor],
    notChecked,
  });
}

/** By the day of the discharge at the facility. */
async function isOfDays(
  { placeOf }: EvidenceSources,
  episode: Kept<'EpisodeOfCare'>,
  { from, to }: Pick<ReadinessQuery, 'from' | 'to'>,
): Promise<boolean> {
  const discharge = dischargeOf(episode);
  if (!discharge || (from === undefined && to === undefined)) return discharge !== undefined;
  const { zone } = await placeOf(episode.managingOrganization);
  const day = localDate(discharge, zone).toString();
  return day >= (from ?? day) && day <= (to ?? day);
}
