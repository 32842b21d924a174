// All that care asks of what is written, as the one rule that the store takes.
import type { Clock } from '../clock.ts';
import type { RevisionRule } from '../store/revision.ts';
import { signOffRule } from './medications/sign-off-rule.ts';
import { ONE_PLAN_RULE } from './plans/one-plan-rule.ts';
import { statusRule } from './status-rule.ts';

/**
 * @param clock tells which memberships and qualifications hold now
 * @param zone in which the days of qualifications begin and end
 */
export function revisionRules(clock: Clock, zone = 'UTC'): RevisionRule {
  const rules = [statusRule(clock), ONE_PLAN_RULE, signOffRule(clock, zone)];
  return {
    types: new Set(rules.flatMap(({ types }) => [...types])),
    async check(revision) {
      for (const rule of rules) if (rule.types.has(revision.after.resourceType)) await rule.check(revision);
    },
  };
}
