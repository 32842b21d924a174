// How a failed attempt goes on: when to try again, when to stop. docs/sync-spec.md#I17 docs/sync-spec.md#I18
import type { RemoteFailure } from '../../remote/result.ts';
import type { Claim, Settlement } from './outbox.ts';

const MOST_ATTEMPTS = 10;
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 15 * 60_000;
const AUTH_WAIT = 60_000;

/**
 * @param unsure whether an earlier attempt may have had an effect that nobody has looked for yet
 * @param random between 0 and 1
 */
export function settlementAfter(
  claim: Claim,
  failure: RemoteFailure,
  unsure: boolean,
  now: number,
  random: number,
): Settlement {
  const detail = failure.issues ? { detail: JSON.stringify(failure.issues) } : {};
  if (failure.class === 'permanent' && !unsure) {
    return { event: 'refused', fault: failure.message, faultClass: 'permanent', ...detail };
  }
  const faultClass = unsure || failure.class === 'conflict' ? 'ambiguous' : failure.class;
  const probed = claim.probedAt === undefined ? {} : { probedAt: claim.probedAt };
  const rest = { fault: failure.message, faultClass, rebases: claim.rebases, ...probed, ...detail };
  // Not the row's fault: the breaker is open now, and trying every row would lock the account.
  if (failure.class === 'auth') {
    return { event: 'failed', ...rest, attempts: claim.attempts, nextAt: now + AUTH_WAIT };
  }
  const attempts = claim.attempts + 1;
  if (attempts >= MOST_ATTEMPTS) return { event: 'exhausted', fault: failure.message, faultClass, ...detail };
  const asked = failure.retryAfter?.total('milliseconds') ?? 0;
  const backoff = random * Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** attempts);
  return { event: 'failed', ...rest, attempts, nextAt: now + Math.ceil(Math.max(asked, backoff)) };
}
