// What is proved of a transition, as the API shows it.
import Type, { type Static } from 'typebox';
import { LinkedOut } from '../linked.ts';

const Proof = Type.Array(LinkedOut, { description: 'The resources that show it' });

/** Something that must have happened, or not: what, when, by whom, in time or not. */
export const Finding = Type.Object({
  code: Type.String(),
  title: Type.String(),
  state: Type.String({ description: 'E.g. on-time, late, credited, pending, missed' }),
  met: Type.Boolean(),
  due: Type.Optional(Type.String({ description: 'Last moment or day that counts, at the facility' })),
  when: Type.Optional(Type.String()),
  by: Type.Optional(LinkedOut),
  because: Type.Optional(Type.String({ description: 'What it lacks, or why it counts' })),
  proof: Proof,
});
export type Finding = Static<typeof Finding>;

export const Reason = Type.Object({ code: Type.String(), text: Type.String(), proof: Proof });
export type Reason = Static<typeof Reason>;

export const TcmEvidence = Type.Object({
  rules: Type.String({ description: 'Version of the rules' }),
  status: Type.Enum(['ready', 'waiting', 'impossible', 'reported']),
  /** CPT; absent until it is known. */
  code: Type.Optional(Type.String()),
  dateOfService: Type.Optional(Type.String({ description: 'Day of the visit' })),
  periodStart: Type.String(),
  periodEnd: Type.String(),
  impossible: Type.Array(Reason),
  waitingFor: Type.Array(Reason),
  notChecked: Type.Array(Type.String()),
  findings: Type.Array(Finding),
});
export type TcmEvidence = Static<typeof TcmEvidence>;

export const TrcEvidence = Type.Object({
  rules: Type.String(),
  eligible: Type.Boolean(),
  excluded: Type.Array(Reason),
  notChecked: Type.Array(Type.String()),
  admitted: Type.Optional(Type.String()),
  discharged: Type.Optional(Type.String({ description: 'The last discharge of the episode' })),
  stays: Type.Array(LinkedOut),
  rates: Type.Array(Finding),
});
export type TrcEvidence = Static<typeof TrcEvidence>;

export const BehavioralEvidence = Type.Object({
  rules: Type.String(),
  measure: Type.Enum(['FUH', 'FUM']),
  eligible: Type.Boolean(),
  excluded: Type.Array(Reason),
  rates: Type.Array(Finding),
});
export type BehavioralEvidence = Static<typeof BehavioralEvidence>;

export const TransitionEvidence = Type.Object({
  id: Type.String(),
  version: Type.String(),
  status: Type.String(),
  patient: LinkedOut,
  encounter: Type.Optional(LinkedOut),
  facility: Type.Optional(LinkedOut),
  zone: Type.String(),
  discharged: Type.String(),
  destination: Type.String(),
  risks: Type.Array(
    Type.Object({
      method: Type.String(),
      points: Type.Optional(Type.Integer()),
      band: Type.Optional(Type.String()),
      missing: Type.Array(Type.String()),
      proof: Proof,
    }),
  ),
  notSeen: Type.Array(Type.String(), {
    description: 'Types that the caller may not read: what they prove is missing here',
  }),
  tcm: TcmEvidence,
  trc: TrcEvidence,
  behavioral: Type.Optional(BehavioralEvidence),
  computed: Type.String(),
});
export type TransitionEvidence = Static<typeof TransitionEvidence>;
