// CWE, CE and IS -> CodeableConcept and Coding. https://build.fhir.org/ig/HL7/v2-to-fhir/
import type { CodeableConcept, Coding } from '@medplum/fhirtypes';
import type { Repetition } from '../er7/message.ts';
import codingSystem from '../tables/0396-coding-system.json' with { type: 'json' };
import { lookUp } from '../tables.ts';
import { filled, present } from './person.ts';

const ICD_10_CM = 'http://hl7.org/fhir/sid/icd-10-cm';

/** URI of a coding system named as in table 0396; undefined when it is not known. */
export function systemUri(name: string): string | undefined {
  const known = lookUp(codingSystem.codes, name.toUpperCase());
  if (known) return known;
  const table = /^(?:HL7|99)?(0\d{3})$/.exec(name.replace(/^HL7/, ''))?.[1];
  return table && `http://terminology.hl7.org/CodeSystem/v2-${table}`;
}

/**
 * Code, text, system in components 1 to 3, the alternate in 4 to 6, original text in 9.
 * @param system when the field names none: the table the field is bound to
 */
export function readConcept(field: Repetition, system?: string): CodeableConcept | undefined {
  const coding = filled([readCoding(field, 1, system), readCoding(field, 4)]);
  const text = field.get(9) || field.get(2) || field.get(1) || field.get(5);
  return present({ coding, text });
}

function readCoding(field: Repetition, from: number, fallback?: string): Coding | undefined {
  const code = field.get(from);
  if (code === '') return undefined;
  const system = systemUri(field.get(from + 2)) ?? (field.get(from + 2) === '' ? fallback : undefined);
  // A Coding's code may hold single blanks only; free text in a code component stays in `text`.
  if (!/^\S+( \S+)*$/.test(code)) return undefined;
  return present({ system, code: system === ICD_10_CM ? dotted(code) : code, display: field.get(from + 1) });
}

/** ICD-10-CM is sent with and without its dot; FHIR has it with. */
function dotted(code: string): string {
  return /^[A-Z]\d[0-9A-Z]{2,5}$/i.test(code)
    ? `${code.slice(0, 3)}.${code.slice(3)}`.toUpperCase()
    : code.toUpperCase();
}
