// Which of the comorbidities that LACE counts a patient has, by the ICD-10-CM codes of the conditions. The table is the
// CodeSystem lace-comorbidity in profiles/.
import type { CodeSystem, CodeSystemConcept, Condition } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { CODE_SYSTEM } from '../systems.ts';

export interface Comorbidity {
  readonly code: string;
  readonly weight: number;
}

export interface ComorbidityTable {
  /** Version of the CodeSystem, which is the version of the method. */
  readonly version: string;
  /** Each comorbidity once; a milder form is left out beside the graver one. */
  find(conditions: readonly Condition[]): { readonly found: Comorbidity[]; readonly shownBy: Condition[] };
}

const ICD10 = ['http://hl7.org/fhir/sid/icd-10-cm', 'http://hl7.org/fhir/sid/icd-10'];
const NOT_REAL = ['refuted', 'entered-in-error'];

/** @throws Fault unprocessable when the CodeSystem is missing or a concept has no weight */
export function createComorbidityTable(codeSystems: readonly CodeSystem[]): ComorbidityTable {
  const codeSystem = codeSystems.find(({ url }) => url === CODE_SYSTEM.comorbidity);
  if (!codeSystem) throw new Fault('unprocessable', `profiles/ has no CodeSystem ${CODE_SYSTEM.comorbidity}.`);
  const rows = (codeSystem.concept ?? []).map(readRow);
  return {
    version: codeSystem.version ?? '1',
    find(conditions) {
      const real = conditions.filter(isReal);
      const matching = rows.filter((row) => real.some((condition) => shows(condition, row)));
      const covered = new Set(matching.flatMap((row) => row.supersedes));
      const counted = matching.filter((row) => !covered.has(row.code));
      return {
        found: counted.map(({ code, weight }) => ({ code, weight })),
        shownBy: real.filter((condition) => counted.some((row) => shows(condition, row))),
      };
    },
  };
}

/** True when the condition has an ICD-10 code, the only ones the table can read. */
export function isReadable(condition: Condition): boolean {
  return icdCodes(condition).length > 0;
}

/** Neither refuted nor entered in error. */
export function isReal(condition: Condition): boolean {
  const status = condition.verificationStatus?.coding?.map(({ code }) => code ?? '') ?? [];
  return !status.some((code) => NOT_REAL.includes(code));
}

interface Row extends Comorbidity {
  readonly prefixes: readonly string[];
  readonly supersedes: readonly string[];
}

function readRow(concept: CodeSystemConcept): Row {
  const values = (code: string) => (concept.property ?? []).filter((property) => property.code === code);
  const weight = values('weight')[0]?.valueInteger;
  if (weight === undefined) throw new Fault('unprocessable', `Comorbidity ${concept.code} has no weight.`);
  return {
    code: concept.code,
    weight,
    prefixes: values('icd10cm').flatMap(({ valueString }) => (valueString ? [plain(valueString)] : [])),
    supersedes: values('supersedes').flatMap(({ valueCode }) => (valueCode ? [valueCode] : [])),
  };
}

function shows(condition: Condition, row: Row): boolean {
  return icdCodes(condition).some((code) => row.prefixes.some((prefix) => code.startsWith(prefix)));
}

/** ICD-10 codes of a condition, without dots. */
export function icdCodes(condition: Pick<Condition, 'code'>): string[] {
  const codings = condition.code?.coding ?? [];
  return codings.flatMap(({ system, code }) => (code && ICD10.includes(system ?? '') ? [plain(code)] : []));
}

/** Senders leave the dot out as often as not. */
const plain = (code: string) => code.replace('.', '').toUpperCase();
