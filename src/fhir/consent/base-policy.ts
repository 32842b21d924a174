// What a Consent says before any provision: the directive that its policyRule names.
// https://terminology.hl7.org/ValueSet-v3-ActConsentDirective.html
import type { Consent } from '@medplum/fhirtypes';
import { ACT_CODE } from './label-order.ts';

/** `emergency-only`: a deny that emergency treatment is an exception to. */
export type BasePolicy = 'permit' | 'deny' | 'emergency-only';

const DIRECTIVES: Readonly<Record<string, BasePolicy>> = {
  OPTIN: 'permit',
  OPTINR: 'permit',
  IMPLIED: 'permit',
  IMPLIEDD: 'permit',
  OPTOUT: 'deny',
  OPTOUTE: 'deny',
  EMRGONLY: 'emergency-only',
};

/** Undefined when no directive is named that Baton knows: then only the provisions speak. Of several the strictest counts. */
export function basePolicy({ policyRule }: Consent): BasePolicy | undefined {
  const named = (policyRule?.coding ?? [])
    .filter(({ system }) => system === ACT_CODE)
    .map(({ code = '' }) => DIRECTIVES[code]);
  return (['deny', 'emergency-only', 'permit'] as const).find((policy) => named.includes(policy));
}
