// The HL7 tables of src/intake/tables, typed. What a code means is data there; looking it up is here.
import type { Coding } from '@medplum/fhirtypes';
import maritalStatus from './tables/0002-marital-status.json' with { type: 'json' };
import patientClass from './tables/0004-patient-class.json' with { type: 'json' };
import race from './tables/0005-race.json' with { type: 'json' };
import admissionType from './tables/0007-admission-type.json' with { type: 'json' };
import diagnosisType from './tables/0052-diagnosis-type.json' with { type: 'json' };
import relationship from './tables/0063-relationship.json' with { type: 'json' };
import subscriber from './tables/0063-subscriber.json' with { type: 'json' };
import ethnicGroup from './tables/0189-ethnic-group.json' with { type: 'json' };
import participation from './tables/participation.json' with { type: 'json' };

interface CodingTable {
  readonly system: string;
  readonly codes: Record<string, { readonly code: string; readonly display: string; readonly system?: string }>;
}

const CODING_TABLES = {
  maritalStatus,
  patientClass,
  race,
  admissionType,
  diagnosisType,
  relationship,
  subscriber,
  ethnicGroup,
  participation,
} satisfies Record<string, CodingTable>;

/** The coding an HL7 code maps to; undefined when the table does not have it. */
export function lookUpCoding(table: keyof typeof CODING_TABLES, code: string): Coding | undefined {
  const { system, codes }: CodingTable = CODING_TABLES[table];
  const row = Object.hasOwn(codes, code) ? codes[code] : undefined;
  return row && { system: row.system ?? system, code: row.code, display: row.display };
}

/** The value a code has in a plain table. */
export function lookUp<T>(codes: Record<string, T>, code: string): T | undefined {
  return Object.hasOwn(codes, code) ? codes[code] : undefined;
}
