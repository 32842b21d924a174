// Opens one outreach Task for each member of a page of a panel that has none in the campaign, all in one commit. The Task's id
// follows from panel, campaign and patient, so that sending it again, or twice at once, opens none twice.
import type { Task } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import type { Change } from '../../fhir/change.ts';
import { tokenText } from '../../fhir/search/token-text.ts';
import { OPEN_TASKS } from '../cases/open-work.ts';
import { claims } from '../claimed-profiles.ts';
import { conceptOf } from '../coded.ts';
import { concept } from '../concept.ts';
import { derivedId } from '../derived-id.ts';
import { findReadable } from '../find-readable.ts';
import { asDue, nowOf, requireAhead } from '../given-time.ts';
import { hasDied, mergedInto } from '../gone.ts';
import { knownResource } from '../known-resource.ts';
import { withLabelsOf } from '../panels/labels.ts';
import { keyOf } from '../panels/membership.ts';
import type { Panel } from '../panels/panel.ts';
import { membershipsOn } from '../panels/panel-view.ts';
import type { Caller, Kept, PagedRecords, Planned } from '../records.ts';
import { CODE_SYSTEM, IDENTIFIER } from '../systems.ts';
import type { OpenOutreach, OutreachView } from './outreach-schema.ts';

const PAGE = 100;

/** @throws Fault unprocessable for a deadline that has passed, nobody or two to do it, or nobody to reach */
export async function openOutreach(
  records: PagedRecords,
  caller: Caller,
  panel: Panel,
  body: OpenOutreach,
): Promise<Planned> {
  requireAhead(body.due, 'due', caller);
  if ((body.owner === undefined) === (body.role === undefined)) {
    throw refusal('Say who reaches out: either owner or role.', 'owner');
  }
  if (body.owner) {
    await knownResource(records, {}, body.owner.reference, ['Practitioner', 'PractitionerRole'], 'owner');
  }
  const { members, tasks } = await pageOf(records, panel, body);
  if (members.length === 0) throw nobody();
  const has = new Set(tasks.map(({ id }) => id));
  const patients = await findReadable(records, 'Patient', { _id: members.map(({ patient }) => patient).join(',') });
  const reachable = new Set(patients.filter((one) => !hasDied(one) && !mergedInto(one)).map(({ id }) => id));
  const opened = members
    .filter(({ task, patient }) => !has.has(task) && reachable.has(patient))
    .map((member): Change => create(member, panel, body, caller));
  if (opened.length > 0) return { changes: opened, about: 0 };
  const [first] = tasks;
  if (!first) throw nobody();
  const same: Change = { op: 'patch', type: 'Task', id: first.id, revise: (current) => current };
  return { changes: [same], about: 0 };
}

/** How far the campaign is among the members of the page. */
export async function viewOutreach(records: PagedRecords, panel: Panel, body: OpenOutreach): Promise<OutreachView> {
  const { members, tasks, next } = await pageOf(records, panel, body);
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const items = members.flatMap(({ patient, task }) => {
    const { status } = byId.get(task) ?? {};
    if (status === undefined) return [];
    return [{ patient: { reference: `Patient/${patient}` }, task: { reference: `Task/${task}` }, status }];
  });
  const open = items.filter(({ status }) => OPEN_TASKS.split(',').includes(status)).length;
  return {
    panel: panel.code,
    campaign: body.campaign,
    members: members.length,
    open,
    ended: items.length - open,
    without: members.length - items.length,
    items,
    ...(next === undefined ? {} : { next }),
  };
}

interface PanelMember {
  readonly group: Kept<'Group'>;
  readonly patient: string;
  /** Id of the Task that is or will be theirs. */
  readonly task: string;
}

/** Members that the caller may see, and the outreach of this campaign that they have. */
async function pageOf(records: PagedRecords, panel: Panel, { campaign, limit = PAGE, after }: OpenOutreach) {
  const { items, next } = await records.page('Group', membershipsOn(panel), { most: limit, after });
  const members = items.flatMap((group): PanelMember[] => {
    const patient = keyOf(group)?.patient;
    return patient === undefined
      ? []
      : [{ group, patient, task: derivedId('outreach', panel.code, campaign, patient) }];
  });
  const ids = members.map(({ task }) => task).join(',');
  const tasks = members.length === 0 ? [] : await records.find('Task', { _id: ids });
  return { members, tasks, next };
}

/** Who may not see the membership may not see its outreach either: it takes over the labels. */
function create({ group, patient, task: id }: PanelMember, panel: Panel, body: OpenOutreach, caller: Caller): Change {
  const { campaign, reason, description, priority = 'routine', due, owner, role } = body;
  const authoredOn = nowOf(caller);
  const value = `${panel.code}|${campaign}|${patient}`;
  const task = {
    resourceType: 'Task',
    meta: claims('baton-outreach'),
    identifier: [{ system: IDENTIFIER.outreach, value }],
    groupIdentifier: { system: IDENTIFIER.outreachCampaign, value: `${panel.code}|${campaign}` },
    status: 'requested',
    intent: 'order',
    priority,
    code: concept(CODE_SYSTEM.serviceKind, 'outreach', 'Outreach'),
    ...(description === undefined ? {} : { description }),
    focus: { reference: `Group/${group.id}` },
    for: { reference: `Patient/${patient}` },
    authoredOn,
    lastModified: authoredOn,
    requester: caller.who,
    ...(role ? { performerType: [conceptOf(role)] } : {}),
    ...(owner ? { owner } : {}),
    reasonCode: conceptOf(reason),
    restriction: { period: { end: asDue(due, caller.zone) } },
  } as Task;
  const ifNoneExist = new URLSearchParams({ identifier: tokenText(IDENTIFIER.outreach, value) }).toString();
  return { op: 'create', id, resource: withLabelsOf(task, [group]), ifNoneExist };
}

const refusal = (sentence: string, expression: string) =>
  new Fault('unprocessable', sentence, { code: 'business-rule', expression });

const nobody = () => refusal('Nobody on this panel whom you may see can be reached out to.', 'campaign');
