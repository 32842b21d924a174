// What the next case manager must know, as an application gets it.
import Type, { type Static } from 'typebox';
import { CaseView } from '../cases/case-schema.ts';
import { LinkedOut } from '../linked.ts';

/** Something on the record in one line. */
export const Line = Type.Object({
  reference: Type.String({ description: 'The FHIR resource' }),
  what: Type.String(),
  status: Type.Optional(Type.String()),
  when: Type.Optional(Type.String()),
  detail: Type.Optional(Type.String()),
});
export type Line = Static<typeof Line>;

const Lines = Type.Array(Line);

export const HandoverSummary = Type.Object({
  situation: Type.Object({
    case: CaseView,
    patient: Type.Object({
      reference: Type.String(),
      name: Type.Optional(Type.String()),
      birthDate: Type.Optional(Type.String()),
      gender: Type.Optional(Type.String()),
      language: Type.Optional(Type.String()),
      phone: Type.Optional(Type.String()),
    }),
    written: Type.String({ description: 'When this summary was put together' }),
  }),
  background: Type.Object({ diagnoses: Lines, allergies: Lines, admissions: Lines }),
  needs: Lines,
  goals: Lines,
  overdue: Lines,
  dueSoon: { ...Lines, description: 'Due within 7 days' },
  openLater: { ...Lines, description: 'Open, due later or without a deadline' },
  contacts: Lines,
  risks: Lines,
  medicationIssues: Lines,
  team: Type.Array(Type.Object({ member: LinkedOut, role: Type.Optional(Type.String()) })),
  notes: { ...Lines, description: 'What was noted when the case was assigned, handed over, held…' },
});
export type HandoverSummary = Static<typeof HandoverSummary>;
