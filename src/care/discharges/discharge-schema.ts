// What is told of a discharge, and how it shows.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { DateOrTime } from '../given-time.ts';
import { Linked, LinkedOut } from '../linked.ts';
import { CODE_SYSTEM } from '../systems.ts';
import { PARTIAL_HOSPITALIZATION } from '../transition/discharge.ts';

const ACT_CODE = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';

/** Of the stay that ended: the class of its Encounter. */
export const SETTINGS = {
  inpatient: { system: ACT_CODE, code: 'IMP', display: 'inpatient encounter' },
  observation: { system: ACT_CODE, code: 'OBSENC', display: 'observation encounter' },
  'short-stay': { system: ACT_CODE, code: 'SS', display: 'short stay' },
  'non-acute': { system: ACT_CODE, code: 'NONAC', display: 'inpatient non-acute' },
  emergency: { system: ACT_CODE, code: 'EMER', display: 'emergency' },
  'partial-hospitalization': {
    system: CODE_SYSTEM.stayClass,
    code: PARTIAL_HOSPITALIZATION,
    display: 'Partial hospitalization',
  },
} as const;
export type Setting = keyof typeof SETTINGS;
const SETTING_CODES = [
  'inpatient',
  'observation',
  'short-stay',
  'non-acute',
  'emergency',
  'partial-hospitalization',
] as const satisfies Setting[];

const strict = { additionalProperties: false } as const;
const Reason = Type.String({ minLength: 1, maxLength: 1_000, pattern: '\\S' });
const Disposition = Type.String({
  minLength: 1,
  maxLength: 40,
  description: 'Where the patient went: a code of ConceptMap discharge-destination, e.g. 01, 03 or home, snf',
});

const said = {
  admitted: Type.Optional(DateOrTime),
  disposition: Type.Optional(Disposition),
  facility: Type.Optional(Linked),
  reason: Type.Optional(Coded),
};

export const TellDischarge = Type.Object(
  {
    discharged: DateOrTime,
    ...said,
    facilityName: Type.Optional(
      Type.String({ minLength: 1, maxLength: 500, description: 'When the facility is not known to Baton' }),
    ),
    setting: Type.Optional(Type.Enum([...SETTING_CODES], { description: 'inpatient when absent' })),
    encounter: Type.Optional(Linked),
  },
  strict,
);
export type TellDischarge = Static<typeof TellDischarge>;

export const CorrectDischarge = Type.Object(
  { why: Reason, discharged: Type.Optional(DateOrTime), ...said },
  { ...strict, minProperties: 2 },
);
export type CorrectDischarge = Static<typeof CorrectDischarge>;

export const TakeBackDischarge = Type.Object(
  {
    why: Reason,
    stay: Type.Enum(['goes-on', 'never-was'], {
      description:
        'goes-on: the patient has not left. never-was: there was no such stay, e.g. it was told of the wrong patient',
    }),
  },
  strict,
);
export type TakeBackDischarge = Static<typeof TakeBackDischarge>;

export const Discharge = Type.Object({
  id: Type.String({ description: 'Of the Encounter' }),
  version: Type.String(),
  status: Type.String({ description: 'Of the Encounter: finished; in-progress when it was taken back' }),
  setting: Type.Optional(Type.String()),
  facility: Type.Optional(LinkedOut),
  admitted: Type.Optional(Type.String()),
  discharged: Type.Optional(Type.String()),
  disposition: Type.Optional(Coded),
  reasons: Type.Optional(Type.Array(Coded)),
  told: Type.Optional(
    Type.Object(
      { by: Type.Optional(LinkedOut), at: Type.String(), why: Type.Optional(Type.String()) },
      { description: 'Who last told of it here, corrected it or took it back' },
    ),
  ),
});
export type Discharge = Static<typeof Discharge>;
