// Keeps the recorded discrepancies in step with what the lists differ in: new ones are recorded, those that are no more are
// withdrawn, and what was decided stays.
import { randomUUID } from 'node:crypto';
import type { DetectedIssue } from '@medplum/fhirtypes';
import type { Change } from '../../fhir/change.ts';
import { claims } from '../claimed-profiles.ts';
import { concept } from '../concept.ts';
import { nowOf } from '../given-time.ts';
import type { Caller, Kept } from '../records.ts';
import type { Link } from '../reference-to.ts';
import { CODE_SYSTEM, IDENTIFIER } from '../systems.ts';
import type { Discrepancy, ListKind } from './compare-lists.ts';
import { type Found, isResolved, isWithdrawn, kindConcept } from './reconciliation.ts';

const LIST_WORDS = { 'before-admission': 'before admission', 'at-discharge': 'at discharge', current: 'now' } as const;

/** @param listRefs references to the lists by their kind */
export function recordDiscrepancies(
  found: readonly Found[],
  issues: ReadonlyMap<string, Kept<'DetectedIssue'>>,
  patient: Link,
  listRefs: ReadonlyMap<ListKind, string>,
  caller: Caller,
): Change[] {
  const now = new Set(found.map(({ key }) => key));
  const made = found.flatMap((one): Change[] => {
    const known = issues.get(one.key);
    if (!known) return [{ op: 'create', id: randomUUID(), resource: issueOf(one, patient, listRefs, caller) }];
    if (!isWithdrawn(known)) return [];
    return [{ op: 'update', resource: { ...known, status: 'preliminary' }, ifMatch: known.meta.versionId }];
  });
  const gone = [...issues].flatMap(([key, issue]): Change[] => {
    if (now.has(key) || isResolved(issue) || isWithdrawn(issue)) return [];
    return [withdraw(issue, caller)];
  });
  return [...made, ...gone];
}

const WITHDRAWN = {
  'list-corrected': 'A list was corrected',
  'given-up': 'The reconciliation was given up',
} as const;

/** R4 has no status for what is no issue any more; it is mitigated, and the action says by what. */
export function withdraw(
  issue: Kept<'DetectedIssue'>,
  caller: Caller,
  because: keyof typeof WITHDRAWN = 'list-corrected',
): Change {
  const action = concept(CODE_SYSTEM.discrepancyResolution, because, WITHDRAWN[because]);
  const mitigation = [...(issue.mitigation ?? []), { action, date: nowOf(caller) }];
  return { op: 'update', resource: { ...issue, status: 'mitigated', mitigation }, ifMatch: issue.meta.versionId };
}

function issueOf(found: Found, patient: Link, listRefs: ReadonlyMap<ListKind, string>, caller: Caller): DetectedIssue {
  const isPerson = /^Practitioner(Role)?\//.test(caller.who.reference ?? '');
  return {
    resourceType: 'DetectedIssue',
    meta: claims('baton-medication-discrepancy'),
    identifier: [{ system: IDENTIFIER.discrepancy, value: found.key }],
    status: 'preliminary',
    code: kindConcept(found.kind),
    patient,
    identifiedDateTime: nowOf(caller),
    ...(isPerson ? { author: caller.who as NonNullable<DetectedIssue['author']> } : {}),
    implicated: [...new Set(found.lists)].flatMap((kind) => {
      const reference = listRefs.get(kind);
      return reference === undefined ? [] : { reference };
    }),
    detail: wordsOf(found),
  };
}

/** How a person would name the medication. */
export function medicationIn({ earlier, later }: Pick<Discrepancy, 'earlier' | 'later'>): string {
  return (later[0] ?? earlier[0])?.name ?? '';
}

function wordsOf(found: Found): string {
  const [from, to] = found.lists;
  const what = medicationIn(found);
  switch (found.kind) {
    case 'omission':
      return `${what}: taken ${LIST_WORDS[from]}, not ${LIST_WORDS[to]}.`;
    case 'addition':
      return `${what}: taken ${LIST_WORDS[to]}, not ${LIST_WORDS[from]}.`;
    case 'duplicate':
      return `${what}: ${found.earlier.length} times on the list ${LIST_WORDS[from]}.`;
    case 'unknown':
      return `${what}: it cannot be told whether it is taken alike ${LIST_WORDS[from]} and ${LIST_WORDS[to]}.`;
    default:
      return `${what}: the ${found.kind} differs ${LIST_WORDS[from]} and ${LIST_WORDS[to]}.`;
  }
}
