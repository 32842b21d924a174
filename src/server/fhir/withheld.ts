// Tells the person who may know that a consent keeps something back. Everybody else finds nothing, as where there is nothing.
import type { Grant } from '../../access/grant.ts';
import { Fault } from '../../fault.ts';
import { existenceQuery, withId } from '../../fhir/search/existence.ts';
import type { Condition } from '../../fhir/search/query.ts';
import { withheldCondition } from '../../fhir/search/withheld.ts';
import type { FhirContext } from './context.ts';
import { tryReach } from './reach.ts';

/** Undefined unless consents bind the person and the person learns of them. */
function withheldFrom(context: FhirContext, { standing, asker }: Grant, type: string | undefined) {
  if (!asker || !standing?.learnsOfConsents) return undefined;
  return withheldCondition(context.parameters, type, asker, context.labelPolicy);
}

/** As if consents bound nobody. */
export function unbound({ asker: _asker, ...grant }: Grant): Grant {
  return grant;
}

/**
 * Says why a resource is not shown, when it would be without consents.
 * @throws Fault forbidden (`suppressed`)
 */
export async function explainWithheld(context: FhirContext, grant: Grant, type: string, id: string): Promise<void> {
  const condition = withheldFrom(context, grant, type);
  const reach = condition && tryReach(context, unbound(grant), 'read', type);
  if (!condition || reach === undefined || reach === 'none') return;
  const itself = withId(id);
  if (!(await isAny(context, type, reach === 'all' ? [itself] : [itself, reach]))) return;
  const { withheld, consents, labels } = await context.store.withholding(type, id, condition);
  if (!withheld) return;
  const by = consents.length > 0 ? ` by the patient's ${consents.map((each) => `Consent/${each}`).join(', ')}` : '';
  const lacking = labels.map(({ code }) => code).join(', ');
  const because =
    lacking === '' ? by : `${by}${by && ', and'} because nobody has permitted what is labelled ${lacking}`;
  const way = grant.standing?.emergencyMinutes
    ? ' In an emergency: POST Patient/{id}/$break-glass, with a reason.'
    : '';
  throw new Fault('forbidden', `${type}/${id} is withheld${because}.${way}`, { code: 'suppressed' });
}

/**
 * @param plan the conditions that say whose records are searched, as they would be without consents
 * @returns a sentence when something of those is withheld from a person who may know that, whether it matches or not
 */
export async function noticeOfWithheld(
  context: FhirContext,
  grant: Grant,
  type: string | undefined,
  plan: (grant: Grant) => readonly Condition[],
): Promise<string | undefined> {
  const condition = withheldFrom(context, grant, type);
  if (!condition || !(await isAny(context, type, [...plan(unbound(grant)), condition]))) return undefined;
  return 'Some of the records that were searched are withheld by consents of the patients.';
}

async function isAny(context: FhirContext, type: string | undefined, conditions: readonly Condition[]) {
  const { items } = await context.store.search(existenceQuery(type, conditions));
  return items.length > 0;
}
