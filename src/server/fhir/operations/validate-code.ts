// $validate-code on value sets and code systems. https://hl7.org/fhir/R4/valueset-operation-validate-code.html and
// https://hl7.org/fhir/R4/codesystem-operation-validate-code.html
import type { CodeSystem, Coding, Parameters, ValueSet } from '@medplum/fhirtypes';
import { Fault } from '../../../fault.ts';
import { createLibrary, type Library } from '../../../fhir/terminology/library.ts';
import { selectSystem } from '../../../fhir/terminology/select-system.ts';
import { selectValueSet } from '../../../fhir/terminology/select-value-set.ts';
import type { TerminologyType } from '../../../fhir/terminology/source.ts';
import { type CodeCheck, validateCodings } from '../../../fhir/terminology/validate-code.ts';
import type { Answer, FhirContext, FhirRequest } from '../context.ts';
import { codingsIn } from './coding-input.ts';
import type { OperationInput } from './input.ts';
import type { Operation } from './operation.ts';
import { gatherTerminology, type Need } from './stored-terminology.ts';
import { terminologyInput } from './terminology-input.ts';
import {
  dateIn,
  readSubject,
  refuseContext,
  type Subject,
  subjectRequired,
  subjectUnknown,
} from './terminology-subject.ts';

const OF_BOTH = ['url', 'code', 'display', 'coding', 'codeableConcept', 'date', 'abstract', 'displayLanguage'];

export const VALIDATE_CODE_IN_VALUE_SET: Operation = {
  code: 'validate-code',
  at: ['type', 'instance'],
  types: ['ValueSet'],
  affectsState: false,
  definition: 'http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code',
  inputs: [...OF_BOTH, 'context', 'valueSet', 'valueSetVersion', 'system', 'systemVersion'],
  handler: validateInValueSet,
};

export const VALIDATE_CODE_IN_CODE_SYSTEM: Operation = {
  code: 'validate-code',
  at: ['type', 'instance'],
  types: ['CodeSystem'],
  affectsState: false,
  definition: 'http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code',
  inputs: [...OF_BOTH, 'codeSystem', 'version'],
  handler: validateInCodeSystem,
};

async function validateInValueSet(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const input = terminologyInput(context, VALIDATE_CODE_IN_VALUE_SET, request, 'valueSet');
  refuseContext(input);
  const names = { type: 'ValueSet', inline: 'valueSet', version: 'valueSetVersion' } as const;
  const subject = await readSubject(context, request, input, names);
  if (!subject.resource && !subject.canonical) throw subjectRequired('url', 'valueSet');
  const codings = codingsIn(input, { system: 'system', version: 'systemVersion', display: 'display' });
  const library = await libraryFor(context, request, input, 'ValueSet', subject, codings);
  const valueSet =
    (subject.resource as ValueSet | undefined) ?? (subject.canonical && library.valueSet(subject.canonical));
  if (!valueSet) throw subjectUnknown('ValueSet', subject.canonical ?? { url: '' });
  const selection = selectValueSet(library, valueSet);
  return verdict({ library, selection, name: `the value set ${valueSet.url ?? 'given'}`, ...options(input) }, codings);
}

async function validateInCodeSystem(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const input = terminologyInput(context, VALIDATE_CODE_IN_CODE_SYSTEM, request, 'codeSystem');
  const names = { type: 'CodeSystem', inline: 'codeSystem', version: 'version' } as const;
  const subject = await readSubject(context, request, input, names);
  if (!subject.resource && !subject.canonical) throw subjectRequired('url', 'codeSystem');
  const given = codingsIn(input, { system: undefined, version: 'version', display: 'display' });
  const library = await libraryFor(context, request, input, 'CodeSystem', subject, given);
  const { url, version } = subject.canonical ?? canonicalOf(subject.resource as CodeSystem);
  const system = library.codeSystem(url, version);
  if (!system) throw subjectUnknown('CodeSystem', { url, ...(version === undefined ? {} : { version }) });
  const isBareCode = input.value('code') !== undefined;
  const codings = isBareCode ? given.map((coding) => ({ ...coding, system: url })) : given;
  const selection = selectSystem(library, { system: url, ...(version === undefined ? {} : { version }) });
  return verdict({ library, selection, name: `the code system ${url}`, ...options(input) }, codings);
}

/** @throws Fault invalid for a code system without URL, whose codes have no system */
function canonicalOf({ url, version }: CodeSystem): { url: string; version?: string } {
  if (url === undefined) {
    throw new Fault('invalid', 'The CodeSystem needs a url.', { code: 'required', expression: 'CodeSystem.url' });
  }
  return version === undefined ? { url } : { url, version };
}

async function libraryFor(
  context: FhirContext,
  { grant }: FhirRequest,
  input: OperationInput,
  type: TerminologyType,
  { resource, canonical }: Subject,
  codings: readonly Coding[],
): Promise<Library> {
  const asOf = dateIn(input);
  const systems = codings.flatMap(({ system }): Need[] =>
    system === undefined ? [] : [{ type: 'CodeSystem', url: system }],
  );
  const needs: Need[] = [...(canonical ? [{ type, url: canonical.url }] : []), ...systems];
  const source = await gatherTerminology({ context, grant }, resource ? [resource] : [], needs);
  return createLibrary(source, asOf === undefined ? {} : { asOf });
}

function options(input: OperationInput) {
  return { abstract: input.flag('abstract'), displayLanguage: input.value('displayLanguage') };
}

/** @throws Fault unprocessable when it cannot be told: "false" would be a statement about the code */
function verdict(check: CodeCheck, codings: readonly Coding[]): Answer {
  const { result, message, display } = validateCodings(check, codings);
  if (result === undefined) throw new Fault('unprocessable', message ?? '', { code: 'not-supported' });
  const parameters: Parameters = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'result', valueBoolean: result },
      ...(message === undefined ? [] : [{ name: 'message', valueString: message }]),
      ...(display === undefined ? [] : [{ name: 'display', valueString: display }]),
    ],
  };
  return { status: 200, body: JSON.stringify(parameters) };
}
