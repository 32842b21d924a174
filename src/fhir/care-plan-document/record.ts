// What a document is made of: the resource it is about and those it refers to, as far as they may be shown. Which elements
// of which type lead on is data, so that whoever collects them and whoever prints them mean the same.
import type { Identifier, Reference, Resource } from '@medplum/fhirtypes';
import { isJsonObject, type Json, type JsonObject } from '../canonical-json.ts';
import { parseLiteral } from '../references.ts';
import { clean } from './words.ts';

export type Focus = Extract<Resource, { resourceType: 'CarePlan' | 'Goal' | 'Task' }>;

export interface PlanRecord {
  readonly focus: Focus & { readonly id: string };
  /** By `Type/id`. What is not in it is not shown, whatever the reference to it says. */
  readonly resources: ReadonlyMap<string, Resource>;
  /** False when something was left out. */
  readonly isComplete: boolean;
  /** Of the patient, as the reader knows them; those of the Patient when absent. */
  readonly identifiers?: readonly Identifier[] | undefined;
}

/** Paths of References that are printed. */
const PRINTED: Readonly<Record<string, readonly string[]>> = {
  CarePlan: [
    'subject',
    'author',
    'contributor',
    'careTeam',
    'addresses',
    'goal',
    'activity.reference',
    'activity.detail.performer',
  ],
  Goal: ['subject', 'expressedBy'],
  Task: ['for', 'owner', 'requester'],
  ServiceRequest: ['requester', 'performer'],
  Appointment: ['participant.actor'],
  CareTeam: ['participant.member', 'participant.onBehalfOf'],
  PractitionerRole: ['practitioner', 'organization'],
  Patient: ['generalPractitioner'],
};

/** `Type/id` of everything that the document of a resource prints, without what that refers to in turn. */
export function printedReferences(resource: Resource): string[] {
  const found = (PRINTED[resource.resourceType] ?? []).flatMap((path) =>
    at(resource as unknown as JsonObject, path.split('.')),
  );
  return found.flatMap((reference) => keyOf(reference as Reference) ?? []);
}

/** The resource a reference means, when it may be shown. */
export function follow(record: PlanRecord, reference: Reference | undefined): Resource | undefined {
  const key = keyOf(reference);
  return key === undefined ? undefined : record.resources.get(key);
}

/** Words that stand in the reference itself; only where it does not point at something that is kept here. */
export function ownWords(reference: Reference | undefined): string {
  return keyOf(reference) === undefined ? clean(reference?.display) : '';
}

function keyOf(reference: Reference | undefined): string | undefined {
  const literal = reference?.reference === undefined ? undefined : parseLiteral(reference.reference);
  return literal && `${literal.type}/${literal.id}`;
}

function at(node: Json | undefined, path: readonly string[]): JsonObject[] {
  if (Array.isArray(node)) return node.flatMap((item) => at(item, path));
  if (!isJsonObject(node)) return [];
  const [first, ...rest] = path;
  return first === undefined ? [node] : at(node[first], rest);
}
