// What an application says and hears about medication reconciliation.
import Type, { type Static } from 'typebox';
import { Coded } from '../coded.ts';
import { Day } from '../given-time.ts';
import { Linked, LinkedOut } from '../linked.ts';
import { DISCREPANCY_KINDS, LIST_KINDS } from './compare-lists.ts';
import { MedicationLine } from './medication-line.ts';

const strict = { additionalProperties: false } as const;
const Words = Type.String({ minLength: 1, maxLength: 4_000, pattern: '\\S' });

export const ReconciliationStart = Type.Object(
  {
    due: Type.Optional(Day),
    owner: Type.Optional(Linked),
    followUp: Type.Optional(
      Type.Object(
        { ...Linked.properties },
        { ...strict, description: 'Task of a transition that the sign-off completes' },
      ),
    ),
    corrects: Type.Optional(
      Type.Object(
        { ...Linked.properties },
        { ...strict, description: 'Task of a signed reconciliation that was wrong' },
      ),
    ),
  },
  strict,
);
export type ReconciliationStart = Static<typeof ReconciliationStart>;

export const ListSetting = Type.Object(
  {
    lines: Type.Optional(Type.Array(MedicationLine, { minItems: 1, maxItems: 200 })),
    none: Type.Optional(
      Type.Enum(['nilknown', 'unavailable'], {
        description: 'Why there are no lines: none are taken, or nobody knows',
      }),
    ),
  },
  { ...strict, minProperties: 1, maxProperties: 1 },
);
export type ListSetting = Static<typeof ListSetting>;

export const RESOLUTIONS = ['continue', 'stop', 'change', 'clarify', 'accept'] as const;

export const DiscrepancyResolution = Type.Object(
  {
    resolution: Type.Enum([...RESOLUTIONS]),
    reason: Type.Optional(Words),
    prescriber: Type.Optional(Linked),
  },
  strict,
);
export type DiscrepancyResolution = Static<typeof DiscrepancyResolution>;

export const SignOffGiven = Type.Object({ note: Type.Optional(Words) }, strict);
export type SignOffGiven = Static<typeof SignOffGiven>;

export const ReconciliationCancellation = Type.Object({ reason: Coded }, strict);
export type ReconciliationCancellation = Static<typeof ReconciliationCancellation>;

const LineView = Type.Object({
  ...MedicationLine.properties,
  source: Type.Optional(Type.String({ description: 'What the line was made from' })),
});

export const ListView = Type.Object({
  kind: Type.Enum([...LIST_KINDS]),
  id: Type.String(),
  lines: Type.Array(LineView),
  none: Type.Optional(Type.String()),
});
export type ListView = Static<typeof ListView>;

export const DiscrepancyView = Type.Object({
  id: Type.Optional(Type.String({ description: 'Absent until the lists are compared anew' })),
  kind: Type.Enum([...DISCREPANCY_KINDS]),
  medication: Type.String(),
  status: Type.Enum(['open', 'resolved']),
  lists: Type.Array(Type.Enum([...LIST_KINDS])),
  resolution: Type.Optional(Type.String()),
  reason: Type.Optional(Type.String()),
  prescriber: Type.Optional(LinkedOut),
  decided: Type.Optional(Type.String()),
  decidedBy: Type.Optional(LinkedOut),
});
export type DiscrepancyView = Static<typeof DiscrepancyView>;

export const ReconciliationView = Type.Object({
  id: Type.String(),
  version: Type.String(),
  status: Type.String(),
  ofCase: Type.Boolean(),
  started: Type.Optional(Type.String()),
  due: Type.Optional(Type.String()),
  owner: Type.Optional(LinkedOut),
  lists: Type.Array(ListView),
  discrepancies: Type.Array(DiscrepancyView),
  corrects: Type.Optional(LinkedOut),
  followUp: Type.Optional(LinkedOut),
  cancelled: Type.Optional(Coded),
  signedOff: Type.Optional(
    Type.Object({
      procedure: Type.String(),
      by: Type.Optional(LinkedOut),
      at: Type.Optional(Type.String()),
      note: Type.Optional(Type.String()),
    }),
  ),
});
export type ReconciliationView = Static<typeof ReconciliationView>;
