// A need that is met, turns out not to be one, comes back, or was a mistake.
import type { Condition } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { workableCase } from '../case-at-hand.ts';
import { nowOf, requireOrder, requirePast } from '../given-time.ts';
import { withNote } from '../note.ts';
import { itemOfCase } from '../plans/item-of-case.ts';
import type { Caller, Planned, Records } from '../records.ts';
import { CLINICAL, VERIFICATION } from './need.ts';
import type { NeedEnding } from './need-schema.ts';

export type Settling = 'resolve' | 'refute' | 'reopen' | 'retract';

/** @throws Fault not-found; unprocessable when the need is not in a state for it */
export async function settleNeed(
  records: Records,
  caller: Caller,
  {
    caseId,
    id,
    how,
    body,
  }: { readonly caseId: string; readonly id: string; readonly how: Settling; readonly body: NeedEnding },
): Promise<Planned> {
  const about = await workableCase(records, caseId);
  const need = await itemOfCase(records, about, 'Condition', id);
  if (body.on) requirePast(body.on, 'on', caller);
  const resource = settledNeed(need, how, body, caller);
  return { changes: [{ op: 'update', resource, ifMatch: need.meta.versionId }], about: 0 };
}

/** @throws Fault unprocessable */
export function settledNeed(need: Condition, how: Settling, { on, note }: NeedEnding, caller: Caller): Condition {
  requireStanding(need);
  const { abatementDateTime, abatementAge, abatementPeriod, abatementRange, abatementString, ...open } = need;
  const noted = withNote(need.note, caller, note);
  if (how === 'retract') {
    const { clinicalStatus: _, ...bare } = need;
    return { ...bare, ...noted, verificationStatus: status(VERIFICATION, 'entered-in-error') };
  }
  if (how === 'reopen') {
    if (isOpen(need)) throw refuse('The need is open already.');
    const verified = isRefuted(need) ? { verificationStatus: status(VERIFICATION, 'confirmed') } : {};
    return { ...open, ...noted, ...verified, clinicalStatus: status(CLINICAL, 'recurrence') };
  }
  if (!isOpen(need)) throw refuse('The need is closed already; reopen it first.');
  if (how === 'refute') {
    const refuted = {
      clinicalStatus: status(CLINICAL, 'inactive'),
      verificationStatus: status(VERIFICATION, 'refuted'),
    };
    return { ...need, ...noted, ...refuted };
  }
  requireOrder(need.onsetDateTime, on, ['onset', 'on'], caller);
  return { ...open, ...noted, clinicalStatus: status(CLINICAL, 'resolved'), abatementDateTime: on ?? nowOf(caller) };
}

const CLOSED = new Set(['inactive', 'remission', 'resolved']);

export function isOpen(need: Condition): boolean {
  return !isRefuted(need) && !CLOSED.has(need.clinicalStatus?.coding?.[0]?.code ?? '');
}

const verificationOf = ({ verificationStatus }: Condition) => verificationStatus?.coding?.[0]?.code;
const isRefuted = (need: Condition) => verificationOf(need) === 'refuted';

/** @throws Fault unprocessable for a need that was entered in error */
export function requireStanding(need: Condition): void {
  if (verificationOf(need) === 'entered-in-error') throw refuse('The need was entered in error; record it anew.');
}

const status = (system: string, code: string) => ({ coding: [{ system, code }] });

function refuse(sentence: string): Fault {
  return new Fault('unprocessable', sentence, { expression: 'Condition.clinicalStatus', code: 'business-rule' });
}
