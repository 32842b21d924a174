// The first look at untrusted JSON: how deep and how large it is, and keys that no FHIR property has.
import { type Issue, issueOf } from './issue.ts';

/** Deeper than any real resource; recursive code behind this check cannot run out of stack. */
const DEEPEST = 60;

/** With more values than this, finding every error would cost more than it helps; the first one is answered. */
const LARGE = 20_000;

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

export interface FirstLook {
  /** The issue that makes it pointless to look further. */
  readonly danger: Issue | undefined;
  readonly large: boolean;
}

/** @param type what the expression of an issue starts with */
export function firstLook(value: unknown, type: string): FirstLook {
  const tally = { values: 0 };
  const danger = look(value, type, type, 0, tally);
  return { danger, large: tally.values > LARGE };
}

/** Whether a resource by itself is large; resources inside it count for themselves. */
export function isLarge(resource: object): boolean {
  return countValues(resource, LARGE) <= 0;
}

function look(value: unknown, path: string, type: string, depth: number, tally: { values: number }): Issue | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > DEEPEST) {
    return issueOf('error', 'structure', `The resource is nested more than ${DEEPEST} levels deep.`, type);
  }
  if (Array.isArray(value)) {
    tally.values += value.length;
    for (const item of value) {
      const issue = look(item, path, type, depth + 1, tally);
      if (issue) return issue;
    }
    return undefined;
  }
  for (const key in value) {
    tally.values++;
    if (FORBIDDEN.has(key)) return issueOf('error', 'structure', `A property may not be named ${key}.`, path);
    const child = (value as Record<string, unknown>)[key];
    if (typeof child !== 'object') continue;
    const issue = look(child, `${path}.${key}`, type, depth + 1, tally);
    if (issue) return issue;
  }
  return undefined;
}

function countValues(value: object, budget: number): number {
  let left = budget;
  for (const child of Object.values(value)) {
    left--;
    if (left <= 0) return left;
    if (typeof child === 'object' && child !== null && !('resourceType' in child)) left = countValues(child, left);
  }
  return left;
}
