// A reconciliation as an application sees it, and those of a case.
import type { Procedure } from '@medplum/fhirtypes';
import { caseAtHand } from '../case-at-hand.ts';
import { codedOf } from '../coded.ts';
import { linkedOf } from '../linked.ts';
import { belongsTo, planReferences } from '../plans/plan-of-case.ts';
import type { Kept, Records } from '../records.ts';
import { idOf } from '../stored.ts';
import { DISCREPANCY_KINDS } from './compare-lists.ts';
import { kindOf } from './medication-list.ts';
import {
  hasLists,
  isResolved,
  noLines,
  type ReadList,
  type Reconciliation,
  readReconciliation,
} from './reconciliation.ts';
import type { DiscrepancyView, ListView, ReconciliationView } from './reconciliation-schema.ts';
import { medicationIn } from './record-discrepancies.ts';

/** @throws Fault not-found */
export async function showReconciliation(records: Records, caseId: string, id: string): Promise<ReconciliationView> {
  return viewOf(records, await readReconciliation(records, caseId, id), await planReferences(records, caseId));
}

/** The latest first. @throws Fault not-found */
export async function listReconciliations(records: Records, caseId: string): Promise<ReconciliationView[]> {
  const { patient } = await caseAtHand(records, caseId);
  const [tasks, plans] = await Promise.all([
    records.find('Task', {
      patient: `Patient/${patient.id}`,
      code: 'http://snomed.info/sct|430193006',
      _sort: '-authored-on',
    }),
    planReferences(records, caseId),
  ]);
  return Promise.all(
    tasks.filter(hasLists).map(async ({ id }) => viewOf(records, await readReconciliation(records, caseId, id), plans)),
  );
}

async function viewOf(
  records: Records,
  reconciliation: Reconciliation,
  plans: ReadonlySet<string>,
): Promise<ReconciliationView> {
  const { task, lists } = reconciliation;
  const owner = linkedOf(task.owner);
  const corrects = linkedOf(task.reasonReference);
  const followUp = linkedOf(task.partOf?.[0]);
  const cancelled = codedOf(task.statusReason);
  const signedOff = await signOffOf(records, task);
  return {
    id: task.id,
    version: task.meta.versionId,
    status: task.status,
    ofCase: belongsTo(task.basedOn, plans),
    ...(task.authoredOn ? { started: task.authoredOn } : {}),
    ...(task.restriction?.period?.end ? { due: task.restriction.period.end } : {}),
    ...(owner ? { owner } : {}),
    lists: lists.map(viewList),
    discrepancies: viewDiscrepancies(reconciliation),
    ...(corrects ? { corrects } : {}),
    ...(followUp ? { followUp } : {}),
    ...(cancelled ? { cancelled } : {}),
    ...(signedOff ? { signedOff } : {}),
  };
}

function viewList(read: ReadList): ListView {
  const none = noLines(read);
  return {
    kind: read.kind,
    id: read.list.id,
    lines: read.lines.map(({ line, source }) => ({ ...line, ...(source ? { source } : {}) })),
    ...(none === undefined ? {} : { none }),
  };
}

/** What the lists differ in now, and what was decided about differences that are no more. */
function viewDiscrepancies({ found, issues, lists }: Reconciliation): DiscrepancyView[] {
  const current = new Set(found.map(({ key }) => key));
  const past = [...issues].filter(([key, issue]) => !current.has(key) && isResolved(issue));
  return [
    ...found.map((one): DiscrepancyView => {
      const issue = issues.get(one.key);
      return {
        ...(issue ? { id: issue.id } : {}),
        kind: one.kind,
        medication: medicationIn(one),
        lists: [...new Set(one.lists)],
        ...decisionOf(issue),
      };
    }),
    ...past.map(([, issue]): DiscrepancyView => {
      const code = issue.code?.coding?.[0]?.code;
      const about = new Set(issue.implicated?.map((one) => idOf(one, 'List')));
      return {
        id: issue.id,
        kind: DISCREPANCY_KINDS.find((kind) => kind === code) ?? 'unknown',
        medication: issue.detail ?? '',
        lists: lists.filter(({ list }) => about.has(list.id)).flatMap(({ list }) => kindOf(list) ?? []),
        ...decisionOf(issue),
      };
    }),
  ];
}

function decisionOf(
  issue: Kept<'DetectedIssue'> | undefined,
): Pick<DiscrepancyView, 'status'> & Partial<DiscrepancyView> {
  if (!issue || !isResolved(issue)) return { status: 'open' };
  const decision = issue.mitigation?.at(-1);
  const resolution = decision?.action.coding?.[0]?.code;
  const decidedBy = linkedOf(decision?.author);
  const prescriber = linkedOf(issue.evidence?.at(-1)?.detail?.[0]);
  return {
    status: 'resolved',
    ...(resolution ? { resolution } : {}),
    ...(decision?.action.text ? { reason: decision.action.text } : {}),
    ...(prescriber ? { prescriber } : {}),
    ...(decision?.date ? { decided: decision.date } : {}),
    ...(decidedBy ? { decidedBy } : {}),
  };
}

async function signOffOf(records: Records, task: Kept<'Task'>): Promise<ReconciliationView['signedOff']> {
  const id = task.output
    ?.map(({ valueReference }) => idOf(valueReference, 'Procedure'))
    .find((one) => one !== undefined);
  const procedure: Procedure | undefined = id === undefined ? undefined : await records.read('Procedure', id);
  if (!procedure || id === undefined) return undefined;
  const by = linkedOf(procedure.performer?.[0]?.actor);
  const note = procedure.note?.[0]?.text;
  return {
    procedure: `Procedure/${id}`,
    ...(by ? { by } : {}),
    ...(procedure.performedDateTime ? { at: procedure.performedDateTime } : {}),
    ...(note ? { note } : {}),
  };
}
