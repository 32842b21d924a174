// What $apply answers: a CarePlan that nobody has decided on yet, with its RequestGroup, Goals and activities contained
// in it (R4) or beside it in a Bundle (as the CPG has it). Nothing is stored.
import type { Bundle, CarePlan, RequestGroup, Resource } from '@medplum/fhirtypes';
import { derivedUrn } from '../derived-id.ts';
import { localDate, toFhirDateTime } from '../local-time.ts';
import { narrative } from '../narrative.ts';
import type { Link } from '../reference-to.ts';
import { type Applied, type ApplyOptions, lineOf, madeIn } from './apply-pathway.ts';
import { requestGroupOf } from './request-group.ts';

const CATEGORY = {
  coding: [
    {
      system: 'http://hl7.org/fhir/us/core/CodeSystem/careplan-category',
      code: 'assess-plan',
      display: 'Assessment and Plan of Treatment',
    },
  ],
};

/** The CarePlan with everything contained. */
export function proposeContained(applied: Applied, options: ApplyOptions): CarePlan {
  const ids = new Map<string, string>();
  for (const [index, { fullUrl }] of applied.goals.entries()) ids.set(fullUrl, `#goal-${index + 1}`);
  for (const [index, { made }] of madeIn(applied.steps).entries()) ids.set(made.fullUrl, `#activity-${index + 1}`);
  const to = (fullUrl: string): Link => ({ reference: ids.get(fullUrl) ?? fullUrl });
  const contain = <R extends Resource>(fullUrl: string, resource: R): R =>
    relink({ ...resource, id: to(fullUrl).reference.slice(1) }, ids);
  const group: RequestGroup = {
    ...requestGroupOf(applied, options, ({ made }) => to(made?.fullUrl ?? '')),
    id: 'request-group',
  };
  const contained = [
    group,
    ...applied.goals.map(({ fullUrl, resource }) => contain(fullUrl, resource)),
    ...madeIn(applied.steps).map(({ made }) => contain(made.fullUrl, made.resource)),
  ];
  const plan = describe(applied, options, to, { reference: '#request-group' });
  return { ...plan, contained };
}

/** CarePlan, RequestGroup, Goals and activities, each an entry of its own. */
export function proposeSeparate(applied: Applied, options: ApplyOptions): Bundle {
  const name = (part: string) => derivedUrn(options.key, applied.pathway.canonical, part);
  const [planUrl, groupUrl] = [name('care-plan'), name('request-group')];
  const group = requestGroupOf(applied, options, ({ made }) => ({ reference: made?.fullUrl ?? '' }));
  const plan = describe(applied, options, (reference) => ({ reference }), { reference: groupUrl });
  return {
    resourceType: 'Bundle',
    type: 'collection',
    timestamp: options.now.toString({ fractionalSecondDigits: 3 }),
    entry: [
      { fullUrl: planUrl, resource: plan },
      { fullUrl: groupUrl, resource: group },
      ...applied.goals,
      ...madeIn(applied.steps).map(({ made }) => made),
    ],
  };
}

function describe(applied: Applied, options: ApplyOptions, to: (fullUrl: string) => Link, group: Link): CarePlan {
  const { definition, canonical } = applied.pathway;
  const { zone, start } = options.clock;
  const title = definition.title ?? applied.pathway.name;
  const goal = applied.goals.map(({ fullUrl }) => to(fullUrl));
  return {
    resourceType: 'CarePlan',
    text: narrative(
      title,
      madeIn(applied.steps).map((step) => lineOf(step, zone)),
    ),
    instantiatesCanonical: [canonical],
    status: 'draft',
    intent: 'proposal',
    category: [CATEGORY],
    title,
    ...(definition.description ? { description: definition.description } : {}),
    subject: options.subject,
    ...(options.encounter ? { encounter: options.encounter } : {}),
    period: { start: localDate(start, zone).toString() },
    created: toFhirDateTime(options.now, zone),
    ...(options.requester ? { author: options.requester as CarePlan['author'] } : {}),
    ...(goal.length > 0 ? { goal } : {}),
    // Nothing applies, nothing is proposed.
    ...(applied.steps.length > 0 ? { activity: [{ reference: group }] } : {}),
  };
}

function relink<T>(value: T, ids: ReadonlyMap<string, string>): T {
  if (Array.isArray(value)) return value.map((item) => relink(item, ids)) as T;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [
    key,
    key === 'reference' && typeof inner === 'string' ? (ids.get(inner) ?? inner) : relink(inner, ids),
  ]);
  return Object.fromEntries(entries) as T;
}
