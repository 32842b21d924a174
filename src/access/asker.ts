// In whose name consents are asked: the person with roles and organizations, or the application. While no consent and no
// label withholds anything from anybody, nobody is asked about, and requests cost what they cost without.
import type { Clock } from '../clock.ts';
import type { Asker } from '../fhir/consent/asker.ts';
import type { LabelPolicy } from '../fhir/consent/label-policy.ts';
import type { Store } from '../store/store.ts';
import type { Grant } from './grant.ts';
import { BEYOND_CONSENT } from './scopes.ts';

/** Other processes tell of their commits at once; should that be lost, a consent of theirs binds after this time. */
const LIFETIME_MS = 1_000;

export interface AskerOptions {
  readonly store: Pick<Store, 'mayWithhold' | 'onCommit'>;
  readonly policy: LabelPolicy;
  readonly clock: Clock;
}

export interface Askers {
  /** The asker whom consents bind; undefined when none does. */
  of(grant: Grant): Promise<Asker | undefined>;
  /** True when it is known at this moment, without waiting, that no consent binds anybody. */
  bindNobody(): boolean;
}

interface Known {
  /** By `performance.now()`. */
  readonly until: number;
  readonly answer: Promise<boolean>;
  /** The answer, once it is there. */
  mayWithhold?: boolean;
}

export function createAskers({ store, policy, clock }: AskerOptions): Askers {
  let known: Known | undefined;
  store.onCommit(() => {
    known = undefined;
  });
  const mayWithhold = () => {
    const now = performance.now();
    if (known && known.until > now) return known.answer;
    const answer = store.mayWithhold(policy.needPermit);
    const asked: Known = { until: now + LIFETIME_MS, answer };
    known = asked;
    answer.then(
      (found) => {
        asked.mayWithhold = found;
      },
      () => {
        known = undefined;
      },
    );
    return answer;
  };
  return {
    async of(grant) {
      if (isBeyondConsent(grant) || !(await mayWithhold())) return undefined;
      return askerOf(grant, clock.now().epochMilliseconds);
    },
    bindNobody: () => known?.mayWithhold === false && known.until > performance.now(),
  };
}

/** A person keeps the records by a role that says so, whatever the application has asked for in the person's name. */
function isBeyondConsent({ actor, scopes, standing }: Grant): boolean {
  const mayKeep = actor.kind !== 'user' || standing?.doors.has(BEYOND_CONSENT) === true;
  return standing?.beyondConsent === true || (mayKeep && scopes.doors.has(BEYOND_CONSENT));
}

/** Staff treat unless they say otherwise; what an application is for, only its token can tell. */
function askerOf({ actor, standing }: Grant, at: number): Asker {
  const external = standing?.external ?? true;
  const purposes = actor.purposes ?? (external ? [] : ['TREAT']);
  return { actors: standing?.references ?? [], purposes, at, external };
}
