// Turns a privacy Consent into rules. A provision is an exception to the one it is in, and the root's to the base policy.
// What cannot be understood never opens anything: a deny then covers more, a permit does not apply. docs/consent.md
import type { Consent, ConsentProvision } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { basePolicy } from './base-policy.ts';
import { type Limits, localTarget, ownLimits, UNLIMITED } from './limits.ts';
import { ANY, type ConsentRule, type PatientRules } from './rule.ts';

const SCOPE = 'http://terminology.hl7.org/CodeSystem/consentscope';
/** Advance directives, and consents to a treatment or a study, say nothing about who may see the record. */
const NOT_PRIVACY = new Set(['adr', 'research', 'treatment']);
/** A Consent that needs more rules than this cannot be asked at every read. */
const MOST_RULES = 2_000;

/** A provision and what it is part of. */
interface Place {
  readonly node: number;
  readonly parent: number;
  readonly effect: 'permit' | 'deny';
  /** Never narrower than what is meant here, for denies. */
  readonly wide: Limits;
  /** Never wider, for permits. */
  readonly narrow: Limits;
  readonly alone: boolean;
}

/**
 * The rules of an active privacy Consent of a local patient; undefined for every other Consent.
 * @param baseUrl this server's, without trailing slash: references below it are local
 * @throws Fault unprocessable (`too-costly`) when its alternatives multiply to more than 2,000 rules
 */
export function consentRules(consent: Consent, baseUrl: string): PatientRules | undefined {
  const patient = consentPatient(consent, baseUrl);
  if (consent.status !== 'active' || patient === undefined || !isPrivacy(consent)) return undefined;
  const trusted = isUnderstood(consent);
  const rules: ConsentRule[] = [];
  for (const place of places(consent, baseUrl, trusted)) {
    if (rules.length + numberOf(limitsOf(place)) > MOST_RULES) refuse();
    rules.push(...expand(place));
  }
  return { patient, rules };
}

/** Id of the local patient that the Consent is about. */
export function consentPatient({ patient }: Consent, baseUrl: string): string | undefined {
  const target = localTarget(patient, baseUrl);
  return target?.startsWith('Patient/') ? target.slice('Patient/'.length) : undefined;
}

/** The rule of a Consent that was accepted before there was a limit to its size: nothing of the patient is disclosed. */
export function denyAll(patient: string): PatientRules {
  const [wide, narrow] = [UNLIMITED, UNLIMITED];
  return { patient, rules: expand({ node: 0, parent: -1, effect: 'deny', wide, narrow, alone: false }) };
}

function isPrivacy({ scope }: Consent): boolean {
  const codings = scope?.coding ?? [];
  return codings.length === 0 || !codings.every(({ system, code = '' }) => system === SCOPE && NOT_PRIVACY.has(code));
}

/** Whether its permits may be relied on: nothing about the whole Consent changes what its parts mean. */
function isUnderstood({ scope, modifierExtension, implicitRules }: Consent): boolean {
  const isOurs = scope?.coding?.some(({ system, code }) => system === SCOPE && code === 'patient-privacy') === true;
  return isOurs && !modifierExtension?.length && implicitRules === undefined;
}

/** Every provision that says something, the base policy first. */
function* places(consent: Consent, baseUrl: string, trusted: boolean): Generator<Place> {
  const base = basePolicy(consent);
  const root = consent.provision;
  // A root with a type is the first exception to the policy, one without says what the policy is limited to.
  const isLimit = root !== undefined && root.type === undefined;
  const wide = ownLimits(isLimit ? root : {}, 'deny', baseUrl);
  const narrow = ownLimits(isLimit ? root : {}, 'permit', baseUrl);
  if (!wide.isDisclosure) return;
  let nodes = 0;
  const next = () => nodes++;
  const effect = base === 'deny' || base === 'emergency-only' ? 'deny' : 'permit';
  const start: Place = { node: next(), parent: -1, effect, wide, narrow, alone: trusted && narrow.understood };
  const releasesLabels = base === 'permit' && start.alone && narrow.labels !== undefined;
  if (effect === 'deny' || releasesLabels) yield start;
  if (base === 'emergency-only' && trusted) {
    const limits: Limits = { ...narrow, purposes: ['ETREAT'] };
    yield { node: next(), parent: start.node, effect: 'permit', wide: limits, narrow: limits, alone: false };
  }
  yield* exceptionsTo(start, root === undefined ? [] : isLimit ? (root.provision ?? []) : [root]);

  function* exceptionsTo(parent: Place, provisions: readonly ConsentProvision[]): Generator<Place> {
    for (const provision of provisions) {
      // R4 wants a type in every nested rule; one that does not say what it is permits nothing.
      const effect = provision.type === 'permit' ? 'permit' : 'deny';
      const narrow = ownLimits(provision, 'permit', baseUrl);
      if (!narrow.isDisclosure) continue;
      const isSafe = trusted && narrow.understood;
      const place: Place = {
        node: next(),
        parent: parent.node,
        effect,
        wide: within(parent.wide, ownLimits(provision, 'deny', baseUrl)),
        narrow: within(parent.narrow, narrow),
        alone: isSafe && parent.alone && !limitTwice(parent.narrow, narrow),
      };
      // A permit matters where there is something to be an exception to, or a label to release.
      const matters = parent.effect === 'deny' || (place.alone && place.narrow.labels !== undefined);
      if (effect === 'deny' || (isSafe && matters)) yield place;
      yield* exceptionsTo(place, provision.provision ?? []);
    }
  }
}

/**
 * Limits of a provision inside another one. Of what both limit the inner one's values are taken, though the outer one's
 * hold as well: for a deny that is wider, and a permit is asked only where the provision around it holds, unless it
 * stands alone, which `limitTwice` forbids.
 */
function within(outer: Limits, inner: Limits): Limits {
  return {
    actors: inner.actors ?? outer.actors,
    purposes: inner.purposes ?? outer.purposes,
    labels: inner.labels ?? outer.labels,
    classes: common(outer.classes, inner.classes),
    data: common(outer.data, inner.data),
    from: Math.max(outer.from, inner.from),
    until: Math.min(outer.until, inner.until),
  };
}

function limitTwice(outer: Limits, inner: Limits): boolean {
  return (['actors', 'purposes', 'labels'] as const).some(
    (key) => outer[key] !== undefined && inner[key] !== undefined,
  );
}

/** A resource has one type and one id, so what both lists allow is what is in both. */
function common(outer: readonly string[] | undefined, inner: readonly string[] | undefined): Limits['classes'] {
  if (!outer || !inner) return inner ?? outer;
  return inner.filter((value) => outer.includes(value));
}

function numberOf({ actors, purposes, labels, classes, data }: Limits): number {
  return [actors, purposes, labels, classes, data].reduce((product, list) => product * (list?.length ?? 1), 1);
}

function limitsOf({ effect, wide, narrow }: Place): Limits {
  return effect === 'deny' ? wide : narrow;
}

function expand(place: Place): ConsentRule[] {
  const { node, parent, effect, alone } = place;
  const limits = limitsOf(place);
  const { from, until } = limits;
  if (from >= until) return [];
  const rules: ConsentRule[] = [];
  for (const actor of limits.actors ?? [ANY]) {
    for (const purpose of limits.purposes ?? [ANY]) {
      for (const label of limits.labels ?? [{ system: '', code: ANY }]) {
        for (const type of limits.classes ?? [ANY]) {
          for (const data of limits.data ?? [ANY]) {
            rules.push({ node, parent, effect, alone, actor, purpose, label, class: type, data, from, until });
          }
        }
      }
    }
  }
  return rules;
}

function refuse(): never {
  throw new Fault(
    'unprocessable',
    `The consent's actors, purposes, labels, classes and data multiply to more than ${MOST_RULES} rules. Name fewer of them in one provision.`,
    { code: 'too-costly', expression: 'Consent.provision' },
  );
}
