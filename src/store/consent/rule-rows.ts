// The rows of table `consent_rule`: written and removed with the Consent that they come from, in the same transaction.
import type { Consent, Resource } from '@medplum/fhirtypes';
import { consentRules } from '../../fhir/consent/consent-rules.ts';
import type { ConsentRule, PatientRules } from '../../fhir/consent/rule.ts';
import type { Transaction } from '../engine.ts';
import { indexedText } from '../search/indexed-text.ts';
import { type Row, tableOf } from '../table.ts';

const CONSENT_RULE = tableOf(
  'consent_rule',
  'many',
  'rid bigint, patient text, node bigint, parent bigint, effect text, alone bigint, actor text, purpose text, ' +
    'label_system text, label_code text, class text, data text, valid_from bigint, valid_until bigint',
);

/**
 * Replaces the rules of a resource that has just been written; other types than Consent have none.
 * @param fresh says that it has no rows yet
 * @throws Fault unprocessable when a Consent needs too many rules
 */
export async function writeConsentRules(
  tx: Transaction,
  rid: number,
  resource: Resource,
  baseUrl: string,
  fresh: boolean,
): Promise<void> {
  if (resource.resourceType !== 'Consent') return;
  await putRules(tx, rid, consentRules(resource as Consent, baseUrl), fresh);
}

export async function putRules(
  tx: Transaction,
  rid: number,
  found: PatientRules | undefined,
  fresh: boolean,
): Promise<void> {
  const rows = (found?.rules ?? []).map((rule) => rowOf(rid, found?.patient ?? '', rule));
  if (rows.length > 0 || !fresh) await tx.put(CONSENT_RULE, rid, rows, fresh);
}

export async function removeConsentRules(tx: Transaction, rid: number, type: string): Promise<void> {
  if (type === 'Consent') await tx.put(CONSENT_RULE, rid, [], false);
}

function rowOf(rid: number, patient: string, rule: ConsentRule): Row {
  const { node, parent, effect, alone, actor, purpose, label, class: type, data, from, until } = rule;
  // As labels are indexed, and as askers are compared.
  const texts = [actor, purpose, label.system, label.code, type, data].map(indexedText);
  return [rid, patient, node, parent, effect, alone ? 1 : 0, ...texts, from, until];
}
