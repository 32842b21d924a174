// $subsumes: whether one concept is a kind of another. https://hl7.org/fhir/R4/codesystem-operation-subsumes.html
import type { CodeSystem, Coding } from '@medplum/fhirtypes';
import { decide } from '../../../access/decide.ts';
import { Fault } from '../../../fault.ts';
import { type ConceptSystem, conceptSystem } from '../../../fhir/terminology/concept-system.ts';
import { createLibrary } from '../../../fhir/terminology/library.ts';
import { subsumption } from '../../../fhir/terminology/subsumes.ts';
import type { Answer, FhirContext, FhirRequest } from '../context.ts';
import { readCurrent } from '../read.ts';
import { codingIn } from './coding-input.ts';
import { conceptIn } from './find-concept.ts';
import type { OperationInput } from './input.ts';
import type { Operation } from './operation.ts';
import { gatherTerminology, parseStored } from './stored-terminology.ts';
import { terminologyInput } from './terminology-input.ts';
import { subjectUnknown } from './terminology-subject.ts';

export const SUBSUMES: Operation = {
  code: 'subsumes',
  at: ['type', 'instance'],
  types: ['CodeSystem'],
  affectsState: false,
  definition: 'http://hl7.org/fhir/OperationDefinition/CodeSystem-subsumes',
  inputs: ['codeA', 'codeB', 'system', 'version', 'codingA', 'codingB'],
  handler: subsumes,
};

async function subsumes(context: FhirContext, request: FhirRequest): Promise<Answer> {
  const { grant, params } = request;
  decide(grant, 'read', 'CodeSystem');
  const input = terminologyInput(context, SUBSUMES, request);
  const stored = params.id === undefined ? undefined : await readCurrent(context, grant, 'CodeSystem', params.id);
  const own = stored && conceptSystem(parseStored(context.store, stored) as CodeSystem);
  const [a, b] = pairIn(input, own?.url);
  if (a.system !== b.system || (own && a.system !== own.url)) throw severalSystems();
  const system = own ?? (await systemOf(context, request, a));
  const outcome = subsumption(system, conceptIn(system, a.code), conceptIn(system, b.code));
  const body = { resourceType: 'Parameters', parameter: [{ name: 'outcome', valueCode: outcome }] };
  return { status: 200, body: JSON.stringify(body) };
}

interface Coded {
  readonly system: string;
  readonly version?: string | undefined;
  readonly code: string;
}

/**
 * `codeA` and `codeB` with `system`, or `codingA` and `codingB`.
 * @param own system of the instance that is asked
 * @throws Fault invalid
 */
function pairIn(input: OperationInput, own: string | undefined): [Coded, Coded] {
  const codes = input.all('codeA').length + input.all('codeB').length > 0;
  const codings = input.all('codingA').length + input.all('codingB').length > 0;
  if (codes && codings) throw new Fault('invalid', 'Give codeA and codeB, or codingA and codingB; not both.');
  const version = input.value('version');
  if (codings) return [complete(codingIn(input, 'codingA'), version), complete(codingIn(input, 'codingB'), version)];
  const [codeA, codeB] = [input.required('codeA'), input.required('codeB')];
  const system = own === undefined ? input.required('system') : (input.value('system') ?? own);
  return [
    { system, version, code: codeA },
    { system, version, code: codeB },
  ];
}

function complete({ system, version, code }: Coding, otherwise: string | undefined): Coded {
  if (system !== undefined && code !== undefined) return { system, version: version ?? otherwise, code };
  throw new Fault('invalid', 'Each coding needs a system and a code.', { code: 'required' });
}

async function systemOf(
  context: FhirContext,
  { grant }: FhirRequest,
  { system, version }: Coded,
): Promise<ConceptSystem> {
  const source = await gatherTerminology({ context, grant }, [], [{ type: 'CodeSystem', url: system }]);
  const found = createLibrary(source).codeSystem(system, version);
  if (found) return found;
  throw subjectUnknown('CodeSystem', { url: system, ...(version === undefined ? {} : { version }) });
}

function severalSystems(): Fault {
  return new Fault('invalid', 'Both codes must be of one code system, that of the instance when there is one.');
}
