// What becomes of a claim when the server does not take such a thing: it ends uncounted as failed, or waits until it is taken.
// docs/sync-spec.md#I29
import { saysNotOffered, speaksAgainstStatement } from '../../remote/absence.ts';
import type { RemoteFailure } from '../../remote/result.ts';
import { upToDate } from '../connections/up-to-date.ts';
import { type RunContext, realNow } from '../context.ts';
import { readRefusal, saveWriteRefusal } from '../pull/type-refusal.ts';
import { type Claim, NO_CAPABILITY, type Settlement } from './outbox.ts';

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
/** After which a try a day is all there is. */
const MOST_COUNTED = 5;

/** Of a claim that cannot be sent by what the server states. What an earlier attempt may have made must not be forgotten. */
export function settlementWithoutDoor(context: RunContext, claim: Claim): Settlement {
  if (claim.faultClass === 'ambiguous') return waiting(claim, true, realNow(context));
  return { event: 'withdrawn', fault: NO_CAPABILITY };
}

/**
 * Of a claim whose request was refused because the server does no such thing at all; undefined when it did not say so.
 * @param unsure whether an earlier attempt may have had an effect that nobody has looked for yet
 * @param isOfType whether the answer is about the type, see `isAboutType`
 */
export async function settlementIfNotOffered(
  context: RunContext,
  claim: Claim,
  failure: RemoteFailure,
  unsure: boolean,
  isOfType: boolean,
): Promise<Settlement | undefined> {
  if (!isOfType && !speaksAgainstStatement(failure)) return undefined;
  const { capability } = await upToDate(context);
  const wait = waiting(claim, unsure, realNow(context));
  // By what it states now it is decided anew, at once.
  if (capability.hash !== context.capability.hash) return { ...wait, attempts: claim.attempts, nextAt: 0 };
  if (!isOfType) return undefined;
  const detail = `${claim.type}: the server refuses what is sent (${failure.status}), though it states that it takes it; it is tried again, at the latest after a day.`;
  await saveWriteRefusal(context, claim.type, detail);
  return wait;
}

/**
 * Whether a no says nothing about the resource it was asked for, because the server has no such type: it says so, it states
 * the type no more and is not asked for it nevertheless, or it refuses to read it altogether.
 */
export async function isAboutType(context: RunContext, type: string, failure: RemoteFailure): Promise<boolean> {
  if (saysNotOffered(failure)) return true;
  if (failure.status !== 404) return false;
  const run = await upToDate(context);
  const isStated = run.capability.reliedOn.has(type) || run.connection.strategies?.[type] !== undefined;
  return !isStated || (await readRefusal(run, type)).closed;
}

function waiting(claim: Claim, unsure: boolean, now: number): Extract<Settlement, { event: 'failed' }> {
  const attempts = Math.min(claim.attempts + 1, MOST_COUNTED);
  return {
    event: 'failed',
    fault: NO_CAPABILITY,
    faultClass: unsure ? 'ambiguous' : 'permanent',
    attempts,
    nextAt: now + Math.min(DAY, HOUR * 2 ** claim.attempts),
    waitsFor: NO_CAPABILITY,
    rebases: claim.rebases,
    ...(claim.probedAt === undefined ? {} : { probedAt: claim.probedAt }),
  };
}
