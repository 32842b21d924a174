// Which value set, code system or concept map an operation is about: the stored one in the URL of the request, one that
// came with it, or one named by its canonical URL. https://hl7.org/fhir/R4/terminology-service.html
import { decide } from '../../../access/decide.ts';
import { Fault } from '../../../fault.ts';
import { type Canonical, toCanonical } from '../../../fhir/terminology/canonical.ts';
import type { TerminologyResource, TerminologyType } from '../../../fhir/terminology/source.ts';
import type { FhirContext, FhirRequest } from '../context.ts';
import { readCurrent } from '../read.ts';
import type { OperationInput } from './input.ts';
import { parseStored } from './stored-terminology.ts';

/** Names of the parameters that say it. */
export interface SubjectParameters {
  readonly type: TerminologyType;
  readonly inline: string;
  readonly version: string;
}

/** Either of them; neither when the request names none. */
export interface Subject {
  readonly resource?: TerminologyResource;
  readonly canonical?: Canonical;
}

/**
 * A resource that comes with the request needs no right to read anything; the others need the right to read the type.
 * @throws Fault invalid | forbidden | not-found | gone
 */
export async function readSubject(
  context: FhirContext,
  { grant, params }: FhirRequest,
  input: OperationInput,
  { type, inline, version }: SubjectParameters,
): Promise<Subject> {
  const url = input.value('url');
  const given = input.resource(inline);
  if (params.id !== undefined) {
    if (url !== undefined || given) throw twice(`${type}/${params.id}`, url === undefined ? inline : 'url');
    const found = await readCurrent(context, grant, type, params.id);
    return { resource: parseStored(context.store, found) as TerminologyResource };
  }
  if (given) {
    if (url !== undefined) throw twice(inline, 'url');
    if (given.resourceType !== type) throw wrongType(inline, type);
    return { resource: given as TerminologyResource };
  }
  decide(grant, 'read', type);
  if (url === undefined) return {};
  const canonical = toCanonical(url);
  const wanted = input.value(version);
  return { canonical: wanted === undefined ? canonical : { url: canonical.url, version: wanted } };
}

function twice(one: string, other: string): Fault {
  return new Fault('invalid', `The request names ${one} and ${other}; only one of them can be meant.`);
}

function wrongType(parameter: string, type: string): Fault {
  return new Fault('invalid', `The parameter ${parameter} must hold a ${type}.`, { code: 'structure' });
}

/** @throws Fault invalid (`required`) */
export function subjectRequired(...parameters: readonly string[]): Fault {
  return new Fault('invalid', `The operation needs one of the parameters ${parameters.join(', ')}.`, {
    code: 'required',
  });
}

export function subjectUnknown(type: TerminologyType, { url, version }: Canonical): Fault {
  const which = version === undefined ? url : `${url} in version ${version}`;
  return new Fault('not-found', `There is no ${type} ${which} here.`);
}

/** `context` asks Baton to find the value set of an element, which a client can read in the StructureDefinition itself. */
export function refuseContext(input: OperationInput): void {
  if (input.value('context') === undefined) return;
  throw new Fault('invalid', 'The parameter context is not offered; name the value set with url.', {
    code: 'not-supported',
  });
}

/** A FHIR date or dateTime of any precision. @throws Fault invalid */
export function dateIn(input: OperationInput): string | undefined {
  const date = input.value('date');
  if (date === undefined) return undefined;
  if (/^\d{4}(-\d\d(-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?)?)?$/.test(date)) return date;
  throw new Fault('invalid', 'The parameter date must be a FHIR date or dateTime.', { code: 'value' });
}
