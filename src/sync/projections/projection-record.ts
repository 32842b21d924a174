// Collects what a document is made of, and asks consents and labels about each part: what the other side may not see is
// left out and the document says that it may not be whole. When it may not see the patient, nothing is made.
// docs/sync-spec.md#I30 docs/sync-spec.md#I31
import type { Coding, Identifier, Resource } from '@medplum/fhirtypes';
import { type Focus, type PlanRecord, printedReferences } from '../../fhir/care-plan-document/record.ts';
import { parseLiteral } from '../../fhir/references.ts';
import type { StoredVersion } from '../../store/store.ts';
import { jsonOf, parseBody, resourceOf } from '../body.ts';
import type { RunContext } from '../context.ts';
import { readLink } from '../identity.ts';
import { patientOf } from '../patients/patient-reference.ts';
import { withholdingOf } from '../push/consent.ts';

/** A plan with more is not read by anybody. */
const MOST_PARTS = 1_000;

export interface Collected {
  readonly record: PlanRecord;
  /** Id of the patient it is about, if it is about one that is kept here. */
  readonly patient: string | undefined;
  readonly isPatientWithheld: boolean;
  /** `Type/id` of everything that was looked at, shown or not. */
  readonly parts: readonly string[];
  /** Security labels of everything shown. */
  readonly labels: readonly Coding[];
  /** When a consent that kept something out ends by itself, by Baton's clock. */
  readonly until: number | undefined;
}

export async function collect(context: RunContext, stored: StoredVersion): Promise<Collected> {
  const focus = resourceOf(parseBody(stored.content)) as Focus & { id: string };
  const patient = parseLiteral(patientOf(jsonOf(focus)) ?? '')?.id;
  const resources = new Map<string, Resource>();
  const looked = new Set<string>();
  const waiting = printedReferences(focus);
  let isComplete = true;
  let isPatientWithheld = false;
  let until: number | undefined;
  for (const key of waiting) {
    if (looked.has(key) || key === `${focus.resourceType}/${focus.id}`) continue;
    if (looked.size >= MOST_PARTS) {
      isComplete = false;
      break;
    }
    looked.add(key);
    const part = await readPart(context, key);
    if (part.resource) {
      resources.set(key, part.resource);
      waiting.push(...printedReferences(part.resource));
      continue;
    }
    isComplete = false;
    if (part.withheld && key === `Patient/${patient}`) isPatientWithheld = true;
    if (part.until !== undefined) until = Math.min(part.until, until ?? part.until);
  }
  return {
    record: { focus, resources, isComplete, identifiers: await identifiersThere(context, patient) },
    patient,
    isPatientWithheld,
    parts: [...looked],
    labels: labelsOf([focus, ...resources.values()]),
    until,
  };
}

interface Part {
  readonly resource?: Resource;
  readonly withheld?: boolean;
  readonly until?: number | undefined;
}

async function readPart(context: RunContext, key: string): Promise<Part> {
  const target = parseLiteral(key);
  if (!target) return {};
  const stored = await context.store.read(target.type, target.id);
  if (!stored || stored.operation === 'delete') return {};
  const { withheld, until } = await withholdingOf(context, target);
  return withheld ? { withheld, until } : { resource: resourceOf(parseBody(stored.content)) };
}

/** Identifiers by which the patient is known over there. */
async function identifiersThere(
  context: RunContext,
  patient: string | undefined,
): Promise<readonly Identifier[] | undefined> {
  if (patient === undefined) return undefined;
  const link = await readLink(context.store, context.connection.name, 'Patient', patient);
  const known = link?.baseRemote?.identifier;
  if (!Array.isArray(known)) return undefined;
  const identifiers = known as unknown as Identifier[];
  return identifiers.filter(({ system }) => system !== context.mapping.ownSystem);
}

function labelsOf(resources: readonly Resource[]): Coding[] {
  const found = new Map<string, Coding>();
  for (const { meta } of resources) {
    for (const label of meta?.security ?? []) found.set(`${label.system}|${label.code}`, label);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, label]) => label);
}
