// How care went another way than its pathway: a step not done, done late, added or changed, with the reason.
// StructureDefinition baton-variance, an Observation about the step's Task or request.
import type { CodeableConcept, Observation, Patient, Reference } from '@medplum/fhirtypes';
import type { Change } from '../../fhir/change.ts';
import { profileUrl } from '../../fhir/profile-canonical.ts';
import type { Pathway } from '../apply/pathway.ts';
import type { Choice } from '../apply/select.ts';
import { concept, hasCode } from '../concept.ts';
import { toFhirDateTime } from '../local-time.ts';
import type { Caller } from '../records.ts';
import { type Link, referenceTo } from '../reference-to.ts';
import { CODE_SYSTEM } from '../systems.ts';

export const VARIANCE_PROFILE = profileUrl('baton', 'baton-variance');

const KINDS = { 'not-done': 'Not done', late: 'Done late', added: 'Added', changed: 'Changed' } as const;
/** CodeSystem variance, the kinds. */
export type VarianceKind = keyof typeof KINDS;
export const VARIANCE_KINDS = Object.keys(KINDS) as VarianceKind[];

const SOURCES = {
  'patient-family': 'Patient or family',
  clinician: 'Clinician or team',
  organization: 'Organization or system',
  community: 'Community resource',
  payer: 'Payer',
} as const;
/** CodeSystem variance, where the reason lies. */
export type VarianceSource = keyof typeof SOURCES;
export const VARIANCE_SOURCES = Object.keys(SOURCES) as VarianceSource[];

export interface Variance {
  readonly kind: VarianceKind;
  /** Why, in words. */
  readonly reason: string;
  readonly source?: VarianceSource | undefined;
  /** Canonical of the pathway. */
  readonly pathway?: string | undefined;
  /** Id of the step. */
  readonly step?: string | undefined;
  /** The Task or request that the step is, or that was added. */
  readonly about?: Reference | undefined;
}

export interface VarianceContext {
  readonly plan: Link;
  readonly patient: Patient;
  readonly caller: Caller;
}

/** The Observation. */
export function varianceObservation(variance: Variance, { plan, patient, caller }: VarianceContext): Observation {
  const { kind, reason, source, pathway, step, about } = variance;
  const at = toFhirDateTime(caller.now, caller.zone);
  const component = [
    ...(source ? [{ code: part('source', 'Where the reason lies'), valueCodeableConcept: sourceConcept(source) }] : []),
    ...(pathway ? [{ code: part('pathway', 'Pathway'), valueString: pathway }] : []),
    ...(step ? [{ code: part('step', 'Step of the pathway'), valueString: step }] : []),
  ];
  return {
    resourceType: 'Observation',
    meta: { profile: [VARIANCE_PROFILE] },
    basedOn: [plan],
    status: 'final',
    code: part('variance', 'Variance from a pathway'),
    subject: referenceTo(patient),
    ...(about ? { focus: [about] } : {}),
    effectiveDateTime: at,
    issued: caller.now.toString({ fractionalSecondDigits: 3 }),
    ...(/^(?:Practitioner|PractitionerRole|Organization|CareTeam|Patient|RelatedPerson)\//.test(
      caller.who.reference ?? '',
    )
      ? { performer: [caller.who as NonNullable<Observation['performer']>[number]] }
      : {}),
    valueCodeableConcept: concept(CODE_SYSTEM.variance, kind, KINDS[kind]),
    note: [{ text: reason }],
    ...(component.length > 0 ? { component } : {}),
  };
}

/** The variance that an Observation records; undefined for every other Observation. */
export function varianceOf(observation: Observation): Variance | undefined {
  const { code, valueCodeableConcept, component = [], focus, note } = observation;
  if (!hasCode(code, CODE_SYSTEM.variance, 'variance')) return undefined;
  const kind = codeIn(valueCodeableConcept) as VarianceKind | undefined;
  if (!kind || !VARIANCE_KINDS.includes(kind)) return undefined;
  const of = (name: string) => component.find((one) => hasCode(one.code, CODE_SYSTEM.variance, name));
  return {
    kind,
    reason: note?.map(({ text }) => text).join('\n') ?? '',
    source: codeIn(of('source')?.valueCodeableConcept) as VarianceSource | undefined,
    pathway: of('pathway')?.valueString,
    step: of('step')?.valueString,
    about: focus?.[0],
  };
}

/** Steps that were left out when the pathway was applied. */
export function recordOmissions(
  pathway: Pathway,
  { omit = new Map() }: Choice,
  context: VarianceContext,
): Extract<Change, { op: 'create' }>[] {
  return [...omit].map(([step, reason]) => ({
    op: 'create',
    resource: varianceObservation(
      { kind: 'not-done', reason: reason.trim() || 'Left out.', pathway: pathway.canonical, step },
      context,
    ),
  }));
}

function codeIn(value: CodeableConcept | undefined): string | undefined {
  return value?.coding?.find(({ system }) => system === CODE_SYSTEM.variance)?.code;
}

const part = (code: string, display: string) => concept(CODE_SYSTEM.variance, code, display);
const sourceConcept = (source: VarianceSource) => concept(CODE_SYSTEM.variance, source, SOURCES[source]);
