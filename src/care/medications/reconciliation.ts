// A reconciliation as it is stored: the Task, its lists and the discrepancies that were found, and what the lists differ in
// now, which is computed each time.
import type { DetectedIssue, Task } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { isTerminal } from '../../fhir/status/task.ts';
import { type CaseAtHand, caseAtHand } from '../case-at-hand.ts';
import { concept, hasCode } from '../concept.ts';
import { derivedId } from '../derived-id.ts';
import type { Kept, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { CODE_SYSTEM, IDENTIFIER } from '../systems.ts';
import { compareLists, type Discrepancy, LIST_KINDS, type ListKind, type Lists, signatureOf } from './compare-lists.ts';
import { kindOf, type ListLine, readLines } from './medication-list.ts';

const SNOMED = 'http://snomed.info/sct';
export const RECONCILIATION = concept(SNOMED, '430193006', 'Medication reconciliation');

export const isReconciliation = ({ code }: Pick<Task, 'code'>) => hasCode(code, SNOMED, '430193006');

/** A Task with the same code and no lists asks for a reconciliation, and is none. */
export function hasLists({ input }: Task): boolean {
  return input?.some(({ valueReference }) => idOf(valueReference, 'List') !== undefined) ?? false;
}

export interface ReadList {
  readonly kind: ListKind;
  readonly list: Kept<'List'>;
  readonly lines: readonly ListLine[];
}

export interface Found extends Discrepancy {
  /** Value of the identifier of its DetectedIssue: the same difference has the same. */
  readonly key: string;
}

export interface Reconciliation extends CaseAtHand {
  readonly task: Kept<'Task'>;
  readonly lists: readonly ReadList[];
  /** In what the lists differ now. */
  readonly found: readonly Found[];
  /** What was recorded of it before, by key. */
  readonly issues: ReadonlyMap<string, Kept<'DetectedIssue'>>;
}

/** @throws Fault not-found */
export async function readReconciliation(records: Records, caseId: string, id: string): Promise<Reconciliation> {
  const atHand = await caseAtHand(records, caseId);
  const task = await records.read('Task', id);
  const isTheirs = task && isReconciliation(task) && hasLists(task) && idOf(task.for, 'Patient') === atHand.patient.id;
  if (!isTheirs) throw new Fault('not-found', `The case has no medication reconciliation ${id}.`);
  const lists = await readLists(records, task);
  return {
    ...atHand,
    task,
    lists,
    found: findDiscrepancies(id, lists),
    issues: await readIssues(records, task, lists),
  };
}

/** @throws Fault unprocessable when it was signed off or cancelled: only a new one corrects it */
export function requireOpen({ task }: Reconciliation): void {
  if (!isTerminal(task.status)) return;
  const sentence = `The reconciliation is ${task.status}; start a new one that corrects it.`;
  throw new Fault('unprocessable', sentence, { expression: 'Task.status', code: 'business-rule' });
}

async function readLists(records: Records, task: Kept<'Task'>): Promise<ReadList[]> {
  const ids = (task.input ?? []).flatMap(({ valueReference }) => idOf(valueReference, 'List') ?? []);
  const lists = await Promise.all(ids.map((id) => records.read('List', id)));
  const read = await Promise.all(
    lists.map(async (list) => {
      const kind = list && kindOf(list);
      return list && kind ? [{ kind, list, lines: await readLines(records, list) }] : [];
    }),
  );
  return read.flat().sort((a, b) => LIST_KINDS.indexOf(a.kind) - LIST_KINDS.indexOf(b.kind));
}

type Compared = Pick<ReadList, 'kind' | 'lines'> & { readonly list: { readonly emptyReason?: object } };

/** A list that nobody has or has begun is not compared; one that says that nothing is taken is. */
export function findDiscrepancies(taskId: string, lists: readonly Compared[]): Found[] {
  const known = lists.filter(({ list, lines }) => lines.length > 0 || isNilKnown(list));
  const toCompare = Object.fromEntries(
    known.map(({ kind, lines }) => [kind, lines.map(({ taken }) => taken)]),
  ) as Lists;
  return compareLists(toCompare).map((one) => ({ ...one, key: keyOf(taskId, one) }));
}

function keyOf(taskId: string, { kind, lists, earlier, later }: Discrepancy): string {
  return `${taskId}|${derivedId(kind, ...lists, ...earlier.map(signatureOf), '|', ...later.map(signatureOf))}`;
}

const EMPTY_REASON = 'http://terminology.hl7.org/CodeSystem/list-empty-reason';

function isNilKnown({ emptyReason }: Compared['list']): boolean {
  return hasCode(emptyReason, EMPTY_REASON, 'nilknown');
}

/** What the list says of why it has no lines. */
export function noLines({ list }: ReadList): string | undefined {
  return list.emptyReason?.coding?.find(({ system }) => system === EMPTY_REASON)?.code;
}

async function readIssues(records: Records, task: Kept<'Task'>, lists: readonly ReadList[]) {
  const implicated = lists.map(({ list }) => `List/${list.id}`).join(',');
  const issues = implicated === '' ? [] : await records.find('DetectedIssue', { implicated });
  return new Map(
    issues.flatMap((issue) => {
      const key = issue.identifier?.find(({ system }) => system === IDENTIFIER.discrepancy)?.value;
      return key?.startsWith(`${task.id}|`) && issue.status !== 'entered-in-error' ? [[key, issue] as const] : [];
    }),
  );
}

/** Whether somebody decided about a recorded discrepancy. */
export function isResolved(issue: DetectedIssue): boolean {
  return issue.status === 'final' || (issue.status === 'mitigated' && !isWithdrawn(issue));
}

/** Whether the lists stopped to differ in it, or nobody goes on with them. */
export function isWithdrawn({ status, mitigation }: DetectedIssue): boolean {
  const last = mitigation?.at(-1)?.action;
  const codes = ['list-corrected', 'given-up'];
  return status === 'mitigated' && codes.some((code) => hasCode(last, CODE_SYSTEM.discrepancyResolution, code));
}

export function kindConcept(kind: Discrepancy['kind']) {
  return concept(CODE_SYSTEM.discrepancy, kind, KIND_WORDS[kind]);
}

const KIND_WORDS = {
  omission: 'Omission',
  addition: 'Addition',
  dose: 'Dose',
  frequency: 'Frequency',
  route: 'Route',
  duplicate: 'Duplicate',
  unknown: 'Unknown',
} as const;
