// PV1-36 -> Encounter.hospitalization.dischargeDisposition: the code as sent, its NUBC name and the FHIR category.
import type { CodeableConcept, Coding } from '@medplum/fhirtypes';
import type { Repetition } from '../er7/message.ts';
import table from '../tables/0112-discharge-disposition.json' with { type: 'json' };
import { lookUp } from '../tables.ts';
import { systemUri } from './coded.ts';
import { filled, present } from './person.ts';

/** Codings in this order: as sent, NUBC patient discharge status, discharge-disposition; those that are known. */
export function readDisposition(field: Repetition): CodeableConcept | undefined {
  const code = field.get(1);
  if (code === '') return present({ text: field.get(2) });
  const padded = code.padStart(2, '0');
  const nubc = lookUp<{ display: string; disposition?: string }>(table.codes, padded);
  const category = nubc?.disposition ?? code;
  const display = lookUp(table.dispositions as Record<string, string>, category);
  const sent = { system: systemUri(field.get(3)) ?? table.source, code, ...present({ display: field.get(2) }) };
  const coding: (Coding | undefined)[] = [
    sent,
    nubc && sent.system !== table.system ? { system: table.system, code: padded, display: nubc.display } : undefined,
    display && sent.system !== table.target ? { system: table.target, code: category, display } : undefined,
  ];
  return { coding: filled(coding), text: field.get(2) || nubc?.display || display || code };
}
