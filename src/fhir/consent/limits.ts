// What one provision is about: its limits as lists of values, and whether all of them were understood. A list that is
// absent limits nothing. Values of one element are alternatives.
import type { CodeableConcept, Coding, ConsentProvision, Period, Reference } from '@medplum/fhirtypes';
import { BEGINNING, dateRange, END_OF_TIME } from '../search/date-range.ts';
import { referenceTarget } from '../search/reference-target.ts';
import { coveredBy, type Label } from './label-order.ts';
import { ACT_REASON } from './purpose-order.ts';
import { isRecipient } from './recipient-role.ts';

export interface Limits {
  readonly actors: readonly string[] | undefined;
  readonly purposes: readonly string[] | undefined;
  readonly labels: readonly Label[] | undefined;
  readonly classes: readonly string[] | undefined;
  readonly data: readonly string[] | undefined;
  readonly from: number;
  readonly until: number;
}

export interface OwnLimits extends Limits {
  /** False when the provision is only about collecting or correcting, which Baton's rules are not. */
  readonly isDisclosure: boolean;
  /** False when an element narrows the provision in a way that the lists do not say. */
  readonly understood: boolean;
}

export const UNLIMITED: Limits = {
  actors: undefined,
  purposes: undefined,
  labels: undefined,
  classes: undefined,
  data: undefined,
  from: BEGINNING,
  until: END_OF_TIME,
};

const ACTION = 'http://terminology.hl7.org/CodeSystem/consentaction';
const RESOURCE_TYPES = 'http://hl7.org/fhir/resource-types';
const DISCLOSING = new Set(['access', 'use', 'disclose']);
const OTHER_ACTIONS = new Set(['collect', 'correct']);

/**
 * Reads a provision for the sake of a deny, which must never be too narrow, or of a permit, which must never be too wide:
 * for a deny an element with a value that is not understood limits nothing, for a permit such a value is left out.
 * @param baseUrl this server's, without trailing slash: references below it are local
 */
export function ownLimits(provision: ConsentProvision, effect: 'permit' | 'deny', baseUrl: string): OwnLimits {
  const actors = listOf(provision.actor, effect, (actor) =>
    isRecipient(actor.role) && !hasModifier(actor) ? actorTokens(actor.reference, effect, baseUrl) : undefined,
  );
  const purposes = listOf(provision.purpose, effect, ({ system, code }) =>
    system === ACT_REASON && code ? [code] : undefined,
  );
  const labels = listOf(provision.securityLabel, effect, ({ system, code }) =>
    system && code ? coveredBy({ system, code }, effect) : undefined,
  );
  const classes = listOf(provision.class, effect, ({ system, code }: Coding) =>
    system === RESOURCE_TYPES && code ? [code] : undefined,
  );
  const data = listOf(provision.data, effect, (item) => {
    const target = item.meaning === 'instance' ? localTarget(item.reference, baseUrl) : undefined;
    return target && !hasModifier(item) ? [target] : undefined;
  });
  const period = periodOf(provision.period);
  const action = actionOf(provision.action);
  const lists = [actors, purposes, labels, classes, data];
  const isNarrower = provision.code?.length || provision.dataPeriod || hasModifier(provision);
  return {
    actors: actors.values,
    purposes: purposes.values,
    labels: labels.values,
    classes: classes.values,
    data: data.values,
    from: period?.from ?? BEGINNING,
    until: period?.until ?? END_OF_TIME,
    isDisclosure: action !== 'other',
    understood: !isNarrower && period !== undefined && action !== 'unknown' && lists.every((list) => list.understood),
  };
}

interface List<V> {
  readonly values: readonly V[] | undefined;
  readonly understood: boolean;
}

function listOf<E, V>(
  elements: readonly E[] | undefined,
  effect: 'permit' | 'deny',
  read: (element: E) => readonly V[] | undefined,
): List<V> {
  if (!elements?.length) return { values: undefined, understood: true };
  const found = elements.map(read);
  const values = found.flatMap((each) => each ?? []);
  if (found.every((each) => each !== undefined)) return { values, understood: true };
  if (effect === 'deny') return { values: undefined, understood: true };
  // The alternatives that were understood are a part of what is permitted.
  return { values, understood: values.length > 0 };
}

const OF_MANY: ReadonlySet<string> = new Set(['Group', 'CareTeam']);

/** Undefined when nobody can tell from it who is asking. */
function actorTokens(
  reference: Reference | undefined,
  effect: 'permit' | 'deny',
  baseUrl: string,
): string[] | undefined {
  const found: string[] = [];
  const target = reference?.reference === undefined ? undefined : referenceTarget(reference.reference, baseUrl);
  // Who is in a Group is not known when somebody asks, and who is in a CareTeam its members may change themselves.
  if (target && OF_MANY.has(target.type) && effect === 'deny') return undefined;
  if (target && (target.type !== '' || /^https?:/.test(target.id))) {
    found.push(target.type === '' ? target.id : `${target.type}/${target.id}`);
  }
  const { system, value } = reference?.identifier ?? {};
  if (system && value) found.push(`${system}|${value}`);
  return found.length > 0 ? found : undefined;
}

/** `Type/id` of a resource of this server. */
export function localTarget(reference: Reference | undefined, baseUrl: string): string | undefined {
  const target = reference?.reference === undefined ? undefined : referenceTarget(reference.reference, baseUrl);
  return target && target.type !== '' ? `${target.type}/${target.id}` : undefined;
}

function periodOf(period: Period | undefined): { from: number; until: number } | undefined {
  const start = period?.start === undefined ? undefined : dateRange(period.start);
  const end = period?.end === undefined ? undefined : dateRange(period.end);
  const isMalformed = (period?.start !== undefined && !start) || (period?.end !== undefined && !end);
  if (isMalformed) return undefined;
  return { from: start?.low ?? BEGINNING, until: end?.high ?? END_OF_TIME };
}

function actionOf(actions: readonly CodeableConcept[] | undefined): 'disclosure' | 'other' | 'unknown' {
  if (!actions?.length) return 'disclosure';
  const codes = actions.map(({ coding }) => coding?.find(({ system }) => system === ACTION)?.code ?? '');
  if (codes.some((code) => DISCLOSING.has(code))) return 'disclosure';
  return codes.every((code) => OTHER_ACTIONS.has(code)) ? 'other' : 'unknown';
}

/** An extension that cannot be ignored; Baton knows none. */
function hasModifier({ modifierExtension }: { readonly modifierExtension?: readonly unknown[] }): boolean {
  return modifierExtension !== undefined && modifierExtension.length > 0;
}
