// Which security labels keep a resource from askers outside unless a consent names them: profiles/access/consent-policy.json.
import { coveredBy, type Label } from './label-order.ts';

export interface LabelPolicy {
  /** The labels that need a permit, with those that they include. */
  readonly needPermit: readonly Label[];
}

/** Nothing needs a permit: only consents speak. */
export const NO_LABEL_POLICY: LabelPolicy = { needPermit: [] };

const KEYS = new Set(['system', 'code', 'rule', 'because']);

/**
 * Checks the content of the file: `{labels: [{system, code, rule: "deny-unless-permitted", because}]}`.
 * @throws Error with a sentence about the first thing that is wrong
 */
export function labelPolicy(content: unknown): LabelPolicy {
  const { labels, ...others } = objectOf(content, 'The consent policy');
  const [stray] = Object.keys(others);
  if (stray !== undefined) throw new Error(`The consent policy has no setting "${stray}".`);
  if (!Array.isArray(labels)) throw new Error('The consent policy needs a list "labels".');
  const found = new Map<string, Label>();
  for (const [index, entry] of labels.entries()) {
    for (const label of coveredBy(labelOf(entry, `labels[${index}]`), 'deny')) {
      found.set(`${label.system}|${label.code}`, label);
    }
  }
  return { needPermit: [...found.values()] };
}

function labelOf(entry: unknown, where: string): Label {
  const { system, code, rule, ...others } = objectOf(entry, `${where} of the consent policy`);
  const stray = Object.keys(others).find((key) => !KEYS.has(key));
  if (stray !== undefined) throw new Error(`${where} of the consent policy has no setting "${stray}".`);
  if (rule !== 'deny-unless-permitted') {
    throw new Error(`${where}.rule of the consent policy must be "deny-unless-permitted".`);
  }
  if (typeof system !== 'string' || !system || typeof code !== 'string' || !code || code === '*') {
    throw new Error(`${where} of the consent policy needs the "system" and "code" of one security label.`);
  }
  return { system, code };
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`${what} must be a JSON object.`);
}
