// $expand: the codes of a value set. https://hl7.org/fhir/R4/valueset-operation-expand.html
import { randomUUID } from 'node:crypto';
import type { ValueSet, ValueSetExpansionParameter } from '@medplum/fhirtypes';
import { toCanonical } from '../../../fhir/terminology/canonical.ts';
import { type ExpandRequest, expand as expandValueSet } from '../../../fhir/terminology/expand.ts';
import { createLibrary, toVersionRule } from '../../../fhir/terminology/library.ts';
import type { Answer, FhirContext, FhirRequest } from '../context.ts';
import type { OperationInput } from './input.ts';
import type { Operation } from './operation.ts';
import { gatherTerminology } from './stored-terminology.ts';
import { terminologyInput } from './terminology-input.ts';
import { dateIn, readSubject, refuseContext, subjectRequired, subjectUnknown } from './terminology-subject.ts';

/** Parameters that have a say in which codes there are; an expansion names those it was made with. */
const IN_EXPANSION = {
  filter: 'valueString',
  date: 'valueDateTime',
  offset: 'valueInteger',
  count: 'valueInteger',
  includeDesignations: 'valueBoolean',
  designation: 'valueString',
  activeOnly: 'valueBoolean',
  excludeNested: 'valueBoolean',
  excludeNotForUI: 'valueBoolean',
  excludePostCoordinated: 'valueBoolean',
  displayLanguage: 'valueCode',
  'exclude-system': 'valueUri',
  'system-version': 'valueUri',
  'check-system-version': 'valueUri',
  'force-system-version': 'valueUri',
} as const satisfies Record<string, keyof ValueSetExpansionParameter>;

export const EXPAND: Operation = {
  code: 'expand',
  at: ['type', 'instance'],
  types: ['ValueSet'],
  affectsState: false,
  definition: 'http://hl7.org/fhir/OperationDefinition/ValueSet-expand',
  inputs: [
    'url',
    'valueSet',
    'valueSetVersion',
    'context',
    'contextDirection',
    'includeDefinition',
    ...Object.keys(IN_EXPANSION),
  ],
  handler: expand,
};

async function expand(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const input = terminologyInput(context, EXPAND, request, 'valueSet');
  refuseContext(input);
  const asked = expandRequest(input);
  const versions = versionRules(input);
  const parameters = { type: 'ValueSet', inline: 'valueSet', version: 'valueSetVersion' } as const;
  const { resource, canonical } = await readSubject(context, request, input, parameters);
  if (!resource && !canonical) throw subjectRequired('url', 'valueSet');
  const source = await gatherTerminology(
    { context, grant: request.grant },
    resource ? [resource] : [],
    canonical ? [{ type: 'ValueSet', url: canonical.url }] : [],
  );
  const library = createLibrary(source, versions);
  const valueSet = (resource as ValueSet | undefined) ?? (canonical && library.valueSet(canonical));
  if (!valueSet) throw subjectUnknown('ValueSet', canonical ?? { url: '' });
  const expanded = expandValueSet(library, valueSet, asked, {
    timestamp: context.clock.real().toString({ smallestUnit: 'millisecond' }),
    identifier: `urn:uuid:${randomUUID()}`,
    parameter: recorded(input),
  });
  return { status: 200, body: JSON.stringify(expanded) };
}

function expandRequest(input: OperationInput): ExpandRequest {
  // These say nothing here: expansions are flat, and no code system here has post-coordinated codes.
  input.flag('excludeNested');
  input.flag('excludePostCoordinated');
  return {
    filter: input.value('filter'),
    offset: input.count('offset'),
    count: input.count('count'),
    includeDesignations: input.flag('includeDesignations'),
    designation: input.values('designation'),
    includeDefinition: input.flag('includeDefinition'),
    activeOnly: input.flag('activeOnly'),
    excludeNotForUI: input.flag('excludeNotForUI'),
    displayLanguage: input.value('displayLanguage'),
    excludeSystem: input.values('exclude-system').map(toCanonical),
  };
}

function versionRules(input: OperationInput) {
  const rules = (name: string) => input.values(name).map((text) => toVersionRule(name, text));
  const asOf = dateIn(input);
  return {
    systemVersion: rules('system-version'),
    checkSystemVersion: rules('check-system-version'),
    forceSystemVersion: rules('force-system-version'),
    ...(asOf === undefined ? {} : { asOf }),
  };
}

function recorded(input: OperationInput): ValueSetExpansionParameter[] {
  return Object.entries(IN_EXPANSION).flatMap(([name, key]) =>
    input.values(name).map((text) => ({ name, [key]: typed(key, text) })),
  );
}

function typed(key: string, text: string): string | number | boolean {
  if (key === 'valueInteger') return Number(text);
  return key === 'valueBoolean' ? text === 'true' : text;
}
