// Codes that do not exist, in what a command was sent: a coded value of a code system that is known here whole, and that the
// system does not have. What is not known here whole (SNOMED CT, LOINC, ICD-10-CM) nobody can tell.
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { createLibrary, type Library } from '../../fhir/terminology/library.ts';
import type { Terminology } from '../../fhir/terminology/terminology.ts';

/** The tables of HL7 v2 and v3 grow with every release of THO; R4's copies are of 2018. */
const GROWING = /\/CodeSystem\/v[23]-/;
const MOST_ISSUES = 20;

/** @throws Fault unprocessable naming every member whose code does not exist: `relationship[0].code` */
export function knownCodes({ source }: Terminology): (body: unknown) => void {
  let library: Library | undefined;
  const isUnknown = (system: string, code: string) => {
    library ??= createLibrary(source, { anyVersion: true });
    const found = GROWING.test(system) ? undefined : library.codeSystem(system);
    return found?.complete === true && found.find(code) === undefined;
  };
  return (body) => {
    const issues = [...codedIn(body, '')]
      .filter(({ system, code }) => isUnknown(system, code))
      .slice(0, MOST_ISSUES)
      .map(({ path, system, code }): OperationOutcomeIssue => {
        const text = `${system} has no code ${code}.`;
        return { severity: 'error', code: 'code-invalid', details: { text }, expression: [path] };
      });
    const [first] = issues;
    if (first) throw new Fault('unprocessable', first.details?.text ?? '', { issues });
  };
}

interface Found {
  readonly path: string;
  readonly system: string;
  readonly code: string;
}

function* codedIn(value: unknown, path: string): Generator<Found> {
  if (Array.isArray(value)) {
    for (const [at, one] of value.entries()) yield* codedIn(one, `${path}[${at}]`);
  } else if (typeof value === 'object' && value !== null) {
    const { system, code } = value as { system?: unknown; code?: unknown };
    const at = path === '' ? '' : `${path}.`;
    if (typeof system === 'string' && typeof code === 'string') yield { path: `${at}code`, system, code };
    for (const [name, one] of Object.entries(value)) yield* codedIn(one, `${at}${name}`);
  }
}
