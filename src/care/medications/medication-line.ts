// One line of a medication list, between a MedicationStatement and what an application says.
import type {
  CodeableConcept,
  Dosage,
  Medication,
  MedicationAdministration,
  MedicationDispense,
  MedicationRequest,
  MedicationStatement,
  Quantity,
  TimingRepeat,
} from '@medplum/fhirtypes';
import Type, { type Static } from 'typebox';
import { Coded, codedOf, conceptOf } from '../coded.ts';
import type { Taken } from './compare-lists.ts';

const strict = { additionalProperties: false } as const;
const UNITS = ['h', 'd', 'wk', 'mo'] as const;

export const MedicationLine = Type.Object(
  {
    id: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: 'Of a line that is on the list' })),
    medication: Coded,
    dose: Type.Optional(
      Type.Object(
        { value: Type.Number({ exclusiveMinimum: 0 }), unit: Type.String({ minLength: 1, maxLength: 50 }) },
        strict,
      ),
    ),
    frequency: Type.Optional(
      Type.Object(
        {
          times: Type.Integer({ minimum: 1, maximum: 100 }),
          every: Type.Integer({ minimum: 1, maximum: 365 }),
          unit: Type.Enum([...UNITS]),
        },
        { ...strict, description: 'times per every units: 2 every 1 d' },
      ),
    ),
    asNeeded: Type.Optional(Type.Boolean()),
    route: Type.Optional(Coded),
    instructions: Type.Optional(Type.String({ minLength: 1, maxLength: 2_000, pattern: '\\S' })),
  },
  strict,
);
export type MedicationLine = Static<typeof MedicationLine>;

type Statement = Omit<MedicationStatement, 'id'>;

/** What else may stand on a list or be where a line comes from. */
export type MedicationResource =
  | MedicationStatement
  | MedicationRequest
  | MedicationAdministration
  | MedicationDispense;

/** What a line says of a stored or contained resource. @param medication what its medicationReference leads to */
export function lineOf(resource: MedicationResource, id: string, medication?: Medication): MedicationLine {
  const dosage = dosageOf(resource);
  const dose = dosage?.doseAndRate?.[0]?.doseQuantity;
  const frequency = frequencyOf(dosage);
  const route = codedOf(dosage?.route);
  const unit = dose?.unit ?? dose?.code;
  return {
    id,
    medication: codedOf(conceptIn(resource, medication)) ?? { text: 'Unnamed medication' },
    ...(dose?.value !== undefined && unit !== undefined ? { dose: { value: dose.value, unit } } : {}),
    ...(frequency ? { frequency } : {}),
    ...(isAsNeeded(dosage) ? { asNeeded: true } : {}),
    ...(route ? { route } : {}),
    ...(dosage?.text ? { instructions: dosage.text } : {}),
  };
}

/** The same for comparing, with all codes. */
export function takenOf(resource: MedicationResource, id: string, medication?: Medication): Taken {
  const line = lineOf(resource, id, medication);
  const concept = conceptIn(resource, medication);
  const route = dosageOf(resource)?.route;
  const { times, every, unit } = line.frequency ?? {};
  return {
    id,
    codes: (concept?.coding ?? []).flatMap(({ system = '', code }) => (code ? `${system}|${code}` : [])),
    name: line.medication.text ?? line.medication.code ?? '',
    dose: line.dose,
    daily: times && every && unit ? (times / every) * PER_DAY[unit] : undefined,
    asNeeded: line.asNeeded,
    route: route?.coding?.[0]?.code ?? route?.text,
    instructions: line.instructions,
  };
}

/** The statement as the line says it; what the line says as before stays as it was written. */
export function statementOf(line: MedicationLine, before: Statement): Statement {
  const said = lineOf(before as MedicationStatement, line.id ?? '');
  const isSame = (name: keyof MedicationLine) => JSON.stringify(line[name]) === JSON.stringify(said[name]);
  const [first = {}, ...others] = before.dosage ?? [];
  const dosage: Dosage = { ...first };
  if (!isSame('dose')) {
    const [rate = {}, ...rates] = dosage.doseAndRate ?? [];
    const { doseRange: _, doseQuantity: __, ...kept } = rate;
    const doseAndRate = [...(line.dose ? [{ ...kept, doseQuantity: quantityOf(line.dose) }] : []), ...rates];
    setOrDelete(dosage, 'doseAndRate', doseAndRate.length > 0 ? doseAndRate : undefined);
  }
  if (!isSame('frequency')) {
    const { code: _, ...timing } = dosage.timing ?? {};
    const repeat = line.frequency ? { ...timing.repeat, ...repeatOf(line.frequency) } : undefined;
    setOrDelete(dosage, 'timing', repeat ? { ...timing, repeat } : undefined);
  }
  if (!isSame('asNeeded')) {
    delete dosage.asNeededCodeableConcept;
    setOrDelete(dosage, 'asNeededBoolean', line.asNeeded);
  }
  if (!isSame('route')) setOrDelete(dosage, 'route', line.route ? conceptOf(line.route) : undefined);
  if (!isSame('instructions')) setOrDelete(dosage, 'text', line.instructions);
  const medication = isSame('medication') ? {} : { medicationCodeableConcept: conceptOf(line.medication) };
  const all = Object.keys(dosage).length > 0 || others.length > 0 ? { dosage: [dosage, ...others] } : {};
  const { dosage: _, ...rest } = before;
  const { medicationReference: __, ...named } = rest;
  return { ...(isSame('medication') ? rest : named), ...medication, ...all };
}

function dosageOf(resource: MedicationResource): Dosage | undefined {
  switch (resource.resourceType) {
    case 'MedicationStatement':
      return resource.dosage?.[0];
    case 'MedicationRequest':
    case 'MedicationDispense':
      return resource.dosageInstruction?.[0];
    case 'MedicationAdministration': {
      const { dose, route, text } = resource.dosage ?? {};
      return {
        ...(dose ? { doseAndRate: [{ doseQuantity: dose }] } : {}),
        ...(route ? { route } : {}),
        ...(text ? { text } : {}),
      };
    }
  }
}

/** All that is said of how to take it, for a line made from another resource. */
export function dosagesOf(resource: MedicationResource): Dosage[] | undefined {
  if (resource.resourceType === 'MedicationStatement') return resource.dosage;
  if (resource.resourceType !== 'MedicationAdministration') return resource.dosageInstruction;
  const dosage = dosageOf(resource);
  return dosage && Object.keys(dosage).length > 0 ? [dosage] : undefined;
}

export function conceptIn(resource: MedicationResource, medication?: Medication): CodeableConcept | undefined {
  const { medicationCodeableConcept, medicationReference } = resource;
  return (
    medicationCodeableConcept ??
    medication?.code ??
    (medicationReference?.display ? { text: medicationReference.display } : undefined)
  );
}

function frequencyOf(dosage: Dosage | undefined): MedicationLine['frequency'] {
  const { repeat, code } = dosage?.timing ?? {};
  if (!repeat) return code?.coding?.map((one) => ABBREVIATIONS[one.code ?? '']).find((one) => one !== undefined);
  const { frequency = 1, period, periodUnit } = repeat;
  const unit = UNITS.find((one) => one === periodUnit);
  if (period === undefined || !unit || !Number.isInteger(period) || period < 1 || repeat.frequencyMax) return undefined;
  return { times: frequency, every: period, unit };
}

const daily = (times: number) => ({ times, every: 1, unit: 'd' as const });
const hourly = (every: number) => ({ times: 1, every, unit: 'h' as const });

/** http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation and what stands beside it in timing-abbreviation. */
const ABBREVIATIONS: Readonly<Record<string, MedicationLine['frequency']>> = {
  QD: daily(1),
  AM: daily(1),
  PM: daily(1),
  BED: daily(1),
  BID: daily(2),
  TID: daily(3),
  QID: daily(4),
  QOD: { times: 1, every: 2, unit: 'd' },
  WK: { times: 1, every: 1, unit: 'wk' },
  MO: { times: 1, every: 1, unit: 'mo' },
  Q1H: hourly(1),
  Q2H: hourly(2),
  Q3H: hourly(3),
  Q4H: hourly(4),
  Q6H: hourly(6),
  Q8H: hourly(8),
};

/** A month counts as thirty days: it is compared only with other frequencies. */
const PER_DAY = { h: 24, d: 1, wk: 1 / 7, mo: 1 / 30 } as const;

function isAsNeeded(dosage: Dosage | undefined): boolean {
  return dosage?.asNeededBoolean === true || dosage?.asNeededCodeableConcept !== undefined;
}

const quantityOf = ({ value, unit }: NonNullable<MedicationLine['dose']>): Quantity => ({ value, unit });

function repeatOf({ times, every, unit }: NonNullable<MedicationLine['frequency']>): TimingRepeat {
  return { frequency: times, period: every, periodUnit: unit };
}

function setOrDelete<K extends keyof Dosage>(dosage: Dosage, name: K, value: Dosage[K] | undefined): void {
  if (value === undefined) delete dosage[name];
  else dosage[name] = value;
}
