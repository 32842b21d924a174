// The hand-over of a case: situation, background, what is needed, planned and late, who takes part. Put together from what is
// on the record now, as far as the caller may see it.
import { caseView } from '../cases/case-view.ts';
import { currentOf, readCase } from '../cases/find-cases.ts';
import { OPEN_TASKS } from '../cases/open-work.ts';
import { hasCode } from '../concept.ts';
import { findReadable } from '../find-readable.ts';
import { linkedOf } from '../linked.ts';
import { toFhirDateTime, toLastInstant } from '../local-time.ts';
import { MESSAGE_CATEGORY } from '../messages/message.ts';
import { readablePlansOfCase } from '../plans-of-case.ts';
import type { Caller, Kept, PagedRecords, Records, SearchFor } from '../records.ts';
import { idOf } from '../stored.ts';
import { CODE_SYSTEM } from '../systems.ts';
import { isOverdue } from '../worklist/overdue.ts';
import type { HandoverSummary } from './handover-schema.ts';
import * as lines from './lines.ts';

/** Of what there may be much, the latest. */
const RECENT = 10;
const SOON_DAYS = 7;

/** Undefined when there is no such case, or the caller may not see it. */
export async function summariseCase(
  records: PagedRecords,
  caller: Caller,
  id: string,
): Promise<HandoverSummary | undefined> {
  const episode = await readCase(records, id);
  if (!episode) return undefined;
  const patientId = idOf(episode.patient, 'Patient') ?? '';
  const reference = `Patient/${patientId}`;
  const of = { patient: reference };
  const [patient, plans, conditions, allergies, admissions, goals, tasks, said, risks, flags, issues, team] =
    await Promise.all([
      records.read('Patient', patientId),
      readablePlansOfCase(records, id),
      findReadable(records, 'Condition', {
        ...of,
        'clinical-status': 'active,recurrence,relapse',
        _sort: '-recorded-date',
      }),
      findReadable(records, 'AllergyIntolerance', { ...of, 'clinical-status': 'active' }),
      latest(records, 'Encounter', { ...of, class: 'IMP,ACUTE,NONAC,OBSENC,EMER,SS', _sort: '-date' }),
      findReadable(records, 'Goal', {
        ...of,
        'lifecycle-status': 'proposed,planned,accepted,active,on-hold',
        _sort: '-start-date',
      }),
      findReadable(records, 'Task', { ...of, status: OPEN_TASKS, _sort: 'deadline' }),
      latest(records, 'Communication', { ...of, 'category:not': MESSAGE_CATEGORY, _sort: '-sent' }),
      latest(records, 'RiskAssessment', { ...of, _sort: '-date' }),
      findReadable(records, 'Flag', of),
      findReadable(records, 'DetectedIssue', of),
      Promise.all((episode.team ?? []).map((each) => records.read('CareTeam', idOf(each, 'CareTeam') ?? ''))),
    ]);
  const isNote = ({ category = [] }: Kept<'Communication'>) =>
    category.some((each) => each.coding?.some(({ system }) => system === CODE_SYSTEM.caseEvent));
  const isDiagnosis = ({ category = [] }: Kept<'Condition'>) =>
    category.length === 0 || category.some((each) => DIAGNOSES.some((code) => hasCode(each, CONDITION_CATEGORY, code)));
  const [late, timely] = split(tasks, (task) => isOverdue(task, caller));
  const [soon, later] = split(timely, (task) => isSoon(task, caller));
  const [notes, contacts] = split(said, isNote);
  const [diagnoses, needs] = split(conditions, isDiagnosis);
  return {
    situation: {
      case: caseView({ episode, patient, plan: currentOf(plans) }),
      patient: lines.patientLine(reference, patient),
      written: toFhirDateTime(caller.now, caller.zone),
    },
    background: {
      diagnoses: diagnoses.map(lines.conditionLine),
      allergies: allergies.map(lines.allergyLine),
      admissions: admissions.map(lines.admissionLine),
    },
    needs: needs.map(lines.conditionLine),
    goals: goals.map(lines.goalLine),
    overdue: late.map(lines.taskLine),
    dueSoon: soon.map(lines.taskLine),
    openLater: later.map(lines.taskLine),
    contacts: contacts.map(lines.communicationLine),
    risks: [...risks.map(lines.riskLine), ...flags.filter(({ status }) => status === 'active').map(lines.flagLine)],
    medicationIssues: issues.filter(({ status }) => OPEN_ISSUES.has(status)).map(lines.issueLine),
    team: team.flatMap((each) => (each ? membersOf(each) : [])),
    notes: notes.map(lines.communicationLine),
  };
}

const CONDITION_CATEGORY = 'http://terminology.hl7.org/CodeSystem/condition-category';
const DIAGNOSES = ['problem-list-item', 'encounter-diagnosis'];
/** `final` issues have been looked at and resolved. */
const OPEN_ISSUES: ReadonlySet<string> = new Set(['registered', 'preliminary']);

async function latest<K extends 'Encounter' | 'Communication' | 'RiskAssessment'>(
  records: PagedRecords,
  type: K,
  search: SearchFor,
): Promise<Kept<K>[]> {
  const onePage: Records = {
    read: records.read,
    find: async (kind, criteria) => (await records.page(kind, criteria, { most: RECENT })).items,
  };
  return findReadable(onePage, type, search);
}

function split<T>(all: readonly T[], isFirst: (one: T) => boolean): [first: T[], second: T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}

function isSoon({ restriction }: Kept<'Task'>, { now, zone }: Caller): boolean {
  const due = restriction?.period?.end;
  const until = now.add({ hours: 24 * SOON_DAYS });
  return due !== undefined && Temporal.Instant.compare(toLastInstant(due, zone), until) <= 0;
}

function membersOf({ participant = [] }: Kept<'CareTeam'>): HandoverSummary['team'] {
  return participant
    .filter(({ period }) => period?.end === undefined)
    .flatMap(({ member, role }) => {
      const linked = linkedOf(member);
      const words = lines.wordsOf(role?.[0]);
      return linked ? [{ member: linked, ...(words === undefined ? {} : { role: words }) }] : [];
    });
}
