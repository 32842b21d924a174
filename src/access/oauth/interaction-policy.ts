// What a person is asked before a code is issued: who they are, which patient, whether they allow it; in this order, and
// only what is not known already.
import type { KoaContextWithOIDC } from 'oidc-provider';
import { interactionPolicy } from './library.ts';
import { questionOf, type SmartRules } from './smart-rules.ts';

export function createPolicy(rules: SmartRules) {
  const { Check, Prompt, base } = interactionPolicy;
  const policy = base();
  const isGone = (ctx: KoaContextWithOIDC) => ctx.oidc.session?.accountId !== undefined && !ctx.oidc.account;
  policy.get('login')?.checks.add(new Check('account_gone', 'the account is gone or disabled', isGone));
  const isOpen = async (ctx: KoaContextWithOIDC) => (await rules.contextOf(questionOf(ctx))) === undefined;
  const context = new Check('patient_needed', 'a patient has to be chosen', 'interaction_required', isOpen);
  policy.add(new Prompt({ name: 'context', requestable: false }, context), 1);
  return policy;
}
