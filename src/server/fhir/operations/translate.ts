// $translate: what a code becomes in another code system. https://hl7.org/fhir/R4/conceptmap-operation-translate.html
import type { Coding, ConceptMap, Parameters, ParametersParameter, ValueSet } from '@medplum/fhirtypes';
import { Fault } from '../../../fault.ts';
import { toCanonical } from '../../../fhir/terminology/canonical.ts';
import { createLibrary, type Library } from '../../../fhir/terminology/library.ts';
import { translate as translateCodes } from '../../../fhir/terminology/translate.ts';
import type { Dependency, Match } from '../../../fhir/terminology/translation.ts';
import type { Answer, FhirContext, FhirRequest } from '../context.ts';
import { readCurrent } from '../read.ts';
import { codingsIn } from './coding-input.ts';
import type { Operation } from './operation.ts';
import { gatherTerminology, parseStored, searchStored } from './stored-terminology.ts';
import { terminologyInput } from './terminology-input.ts';
import { readSubject, type Subject, subjectUnknown } from './terminology-subject.ts';

export const TRANSLATE: Operation = {
  code: 'translate',
  at: ['type', 'instance'],
  types: ['ConceptMap'],
  affectsState: false,
  definition: 'http://hl7.org/fhir/OperationDefinition/ConceptMap-translate',
  inputs: [
    'url',
    'conceptMap',
    'conceptMapVersion',
    'code',
    'system',
    'version',
    'source',
    'coding',
    'codeableConcept',
    'target',
    'targetsystem',
    'dependency',
    'reverse',
  ],
  handler: translate,
};

async function translate(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const input = terminologyInput(context, TRANSLATE, request, 'conceptMap');
  const names = { type: 'ConceptMap', inline: 'conceptMap', version: 'conceptMapVersion' } as const;
  const subject = await readSubject(context, request, input, names);
  const codings = codingsIn(input, { system: 'system', version: 'version' });
  const reverse = input.flag('reverse') ?? false;
  const { library, maps } = await mapsFor(context, request, { subject, codings, reverse });
  const source = await valueSetIn(context, request, input.value(reverse ? 'target' : 'source'));
  const target = await valueSetIn(context, request, input.value(reverse ? 'source' : 'target'));
  const { result, message, matches } = translateCodes(library, maps.filter(isBetween(source, target)), {
    codings,
    targetSystem: input.value('targetsystem'),
    dependencies: input.all('dependency').map(toDependency),
    reverse,
  });
  const answer: Parameters = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'result', valueBoolean: result },
      ...(message === undefined ? [] : [{ name: 'message', valueString: message }]),
      ...matches.map(toParameter),
    ],
  };
  return { status: 200, body: JSON.stringify(answer) };
}

interface Wanted {
  readonly subject: Subject;
  readonly codings: readonly Coding[];
  readonly reverse: boolean;
}

/** The map that is named, or every map that is here: installed ones, and those stored for the systems of the codes. */
async function mapsFor(
  context: FhirContext,
  { grant }: FhirRequest,
  { subject: { resource, canonical }, codings, reverse }: Wanted,
): Promise<{ readonly library: Library; readonly maps: readonly ConceptMap[] }> {
  const gathering = { context, grant };
  const parameter = reverse ? 'target-system' : 'source-system';
  const systems = resource || canonical ? [] : codings.flatMap(({ system = [] }) => system);
  const stored = await searchStored(gathering, 'ConceptMap', parameter, systems);
  const given = [...(resource ? [resource] : []), ...stored];
  const needs = canonical ? [{ type: 'ConceptMap', url: canonical.url } as const] : [];
  const library = createLibrary(await gatherTerminology(gathering, given, needs));
  if (resource) return { library, maps: [resource as ConceptMap] };
  if (!canonical) return { library, maps: library.source.allConceptMaps() };
  const map = library.conceptMap(canonical);
  if (!map) throw subjectUnknown('ConceptMap', canonical);
  return { library, maps: [map] };
}

/**
 * The canonical URL of a value set that is named by it, by its id, or by where it is stored.
 * @throws Fault forbidden | not-found | gone
 */
async function valueSetIn(
  context: FhirContext,
  { grant }: FhirRequest,
  given: string | undefined,
): Promise<string | undefined> {
  const base = `${context.base()}/`;
  const relative = given?.startsWith(base) ? given.slice(base.length) : given;
  const id = relative === undefined ? undefined : /^(?:ValueSet\/)?([A-Za-z0-9.-]{1,64})$/.exec(relative)?.[1];
  if (id === undefined) return given;
  const stored = await readCurrent(context, grant, 'ValueSet', id);
  return (parseStored(context.store, stored) as ValueSet).url;
}

/** Maps that do not contradict the value sets that are asked for. */
function isBetween(source: string | undefined, target: string | undefined) {
  return (map: ConceptMap): boolean =>
    isValueSet(source, map.sourceCanonical ?? map.sourceUri) &&
    isValueSet(target, map.targetCanonical ?? map.targetUri);
}

function isValueSet(asked: string | undefined, ofMap: string | undefined): boolean {
  return asked === undefined || (ofMap !== undefined && toCanonical(ofMap).url === toCanonical(asked).url);
}

/** @throws Fault invalid for a dependency without element or concept */
function toDependency({ part = [] }: ParametersParameter): Dependency {
  const named = (name: string) => part.find((one) => one.name === name);
  const element = named('element')?.valueUri ?? named('element')?.valueString;
  const concept = named('concept')?.valueCodeableConcept;
  if (element !== undefined && concept) return { element, concept };
  throw new Fault('invalid', 'A dependency needs the parts element (uri) and concept (CodeableConcept).', {
    code: 'required',
  });
}

function toParameter({ equivalence, concept, product, source }: Match): ParametersParameter {
  return {
    name: 'match',
    part: [
      { name: 'equivalence', valueCode: equivalence },
      ...(concept ? [{ name: 'concept', valueCoding: concept }] : []),
      ...product.map(({ element, concept: made }) => ({
        name: 'product',
        part: [
          { name: 'element', valueUri: element },
          { name: 'concept', valueCoding: made },
        ],
      })),
      ...(source === undefined ? [] : [{ name: 'source', valueUri: source }]),
    ],
  };
}
