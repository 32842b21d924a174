// ActivityDefinition/$apply: one definition applied by itself. Nothing is stored.
// https://hl7.org/fhir/R4/activitydefinition-operation-apply.html
import type { ActivityDefinition, PlanDefinition, Resource } from '@medplum/fhirtypes';
import { type ApplyOptions, applyPathway, madeIn } from './apply-pathway.ts';
import type { Lookup } from './definition-source.ts';
import type { Facts } from './expression.ts';
import type { Pathway } from './pathway.ts';
import { canonicalOf, nameOf, readPathway } from './read-pathway.ts';

/** A pathway of the one step, so that a definition is read the same way by itself and in a plan. */
export function readActivityAlone(
  definition: ActivityDefinition,
  lookup: Lookup,
  parameters: readonly string[],
): Pathway {
  const canonical = canonicalOf(definition);
  const around: PlanDefinition = {
    resourceType: 'PlanDefinition',
    status: 'active',
    name: nameOf(definition),
    url: definition.url ?? 'urn:baton:activity',
    ...(definition.effectivePeriod ? { effectivePeriod: definition.effectivePeriod } : {}),
    action: [{ id: 'activity', definitionCanonical: canonical, ...timingOf(definition) }],
  };
  const own: Lookup = {
    find: (type, wanted) =>
      type === 'ActivityDefinition' && wanted === canonical ? (definition as never) : lookup.find(type, wanted),
  };
  return readPathway(around, own, parameters);
}

/** The draft resource. @throws Fault unprocessable naming the definition */
export function applyActivity(pathway: Pathway, facts: Facts, options: ApplyOptions): Resource {
  const [only] = madeIn(applyPathway(pathway, facts, options).steps);
  if (!only) throw new Error('An activity by itself has no condition.');
  const { intent } = only.step.activity?.definition ?? {};
  return intent && 'intent' in only.made.resource
    ? ({ ...only.made.resource, intent } as Resource)
    : only.made.resource;
}

function timingOf({
  timingAge,
  timingDateTime,
  timingDuration,
  timingPeriod,
  timingRange,
  timingTiming,
}: ActivityDefinition) {
  const given = { timingAge, timingDateTime, timingDuration, timingPeriod, timingRange, timingTiming };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
