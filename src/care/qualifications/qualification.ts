// What a practitioner is qualified for: degrees, licences by state, certifications, each with its time.
// https://hl7.org/fhir/R4/practitioner-definitions.html#Practitioner.qualification; status and states as in the extension of
// http://hl7.org/fhir/us/davinci-pdex-plan-net/StructureDefinition/practitioner-qualification
import type { CodeableConcept, Practitioner } from '@medplum/fhirtypes';
import Type, { type Static } from 'typebox';
import { Coded, codedOf } from '../coded.ts';
import { toInstant, toLastInstant } from '../local-time.ts';

const PLAN_NET = 'http://hl7.org/fhir/us/davinci-pdex-plan-net/StructureDefinition/practitioner-qualification';

export const QualificationView = Type.Object({
  credential: Type.Optional(Coded),
  number: Type.Optional(Type.String()),
  issuer: Type.Optional(Type.String()),
  /** Two-letter codes of the states it is valid in; empty when it does not say. */
  states: Type.Array(Type.String()),
  start: Type.Optional(Type.String()),
  end: Type.Optional(Type.String()),
  standing: Type.Enum(['current', 'expired', 'not-yet-valid', 'inactive']),
});
export type QualificationView = Static<typeof QualificationView>;

type Qualification = NonNullable<Practitioner['qualification']>[number];

/** A qualification with all of its codes, which decide what it lets a person do. */
export interface HeldQualification {
  readonly code: CodeableConcept;
  readonly view: QualificationView;
}

export function qualificationsOf(
  { qualification = [] }: Practitioner,
  now: Temporal.Instant,
  zone: string,
): HeldQualification[] {
  return qualification.map((one) => ({ code: one.code, view: viewOf(one, now, zone) }));
}

function viewOf(one: Qualification, now: Temporal.Instant, zone: string): QualificationView {
  const credential = codedOf(one.code);
  const number = one.identifier?.[0]?.value;
  const issuer = one.issuer?.display ?? one.issuer?.reference;
  const { start, end } = one.period ?? {};
  return {
    ...(credential ? { credential } : {}),
    ...(number ? { number } : {}),
    ...(issuer ? { issuer } : {}),
    states: statesOf(one),
    ...(start ? { start } : {}),
    ...(end ? { end } : {}),
    standing: standingOf(one, now, zone),
  };
}

function standingOf(one: Qualification, now: Temporal.Instant, zone: string): QualificationView['standing'] {
  const status = partsOf(one, 'status').map(({ valueCode }) => valueCode);
  if (status.some((code) => code !== undefined && code !== 'active')) return 'inactive';
  const { start, end } = one.period ?? {};
  if (end && Temporal.Instant.compare(toLastInstant(end, zone), now) < 0) return 'expired';
  if (start && Temporal.Instant.compare(toInstant(start, zone), now) > 0) return 'not-yet-valid';
  return 'current';
}

function statesOf(one: Qualification): string[] {
  const concepts = partsOf(one, 'whereValid').flatMap(({ valueCodeableConcept }) => valueCodeableConcept ?? []);
  return concepts.flatMap(({ coding, text }) => coding?.[0]?.code ?? text ?? []).map((state) => state.toUpperCase());
}

function partsOf({ extension = [] }: Qualification, url: string) {
  return extension
    .filter((one) => one.url === PLAN_NET)
    .flatMap((one) => one.extension?.filter((part) => part.url === url) ?? []);
}
