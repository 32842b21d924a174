// Panels and who is on them, as far as the caller may see.
import type { Group, Patient, RiskAssessment } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { tokenText } from '../../fhir/search/token-text.ts';
import { codedOf } from '../coded.ts';
import { findReadable } from '../find-readable.ts';
import { linkedOf } from '../linked.ts';
import { personName } from '../person-name.ts';
import type { Kept, PagedRecords, Records, SearchFor } from '../records.ts';
import { CODE_SYSTEM, EXTENSION } from '../systems.ts';
import { isOpen, keyOf, membershipId, statusOf, tierOf } from './membership.ts';
import type { Panel } from './panel.ts';
import type { MemberView, PanelList, PanelQuery, PanelView } from './panel-schema.ts';
import type { Panels } from './panels.ts';
import { assessmentId, scoreOf } from './score-assessment.ts';

const PAGE = 50;

/** @throws Fault not-found */
export function panelNamed({ panels }: Panels, id: string): Panel {
  const panel = panels.find(({ code }) => code === id);
  if (!panel) throw new Fault('not-found', 'There is no such panel.');
  return panel;
}

export async function listPanels({ panels }: Panels, records: PagedRecords): Promise<PanelList> {
  return { items: await Promise.all(panels.map((panel) => summaryOf(panel, records))) };
}

/** A page of its members; those that are on it now when the query does not say. */
export async function viewPanel(
  panels: Panels,
  records: PagedRecords,
  id: string,
  { status = 'on', tier, limit = PAGE, after }: PanelQuery,
): Promise<PanelView> {
  const panel = panelNamed(panels, id);
  const { items, next } = await records.page('Group', searchFor(panel, { status, tier }), { most: limit, after });
  const { method, criteria } = panel;
  return {
    ...(await summaryOf(panel, records)),
    criteria: criteria.map(({ title, exclude }) => ({ title, exclude })),
    ...(method ? { method: { code: method.code, version: method.version, title: method.title } } : {}),
    items: await viewsOf(panel, records, items),
    ...(next === undefined ? {} : { next }),
  };
}

/** Undefined when there is no such membership, or the caller may not see it. */
export async function viewMember(panel: Panel, records: Records, patient: string): Promise<MemberView | undefined> {
  const group = await records.read('Group', membershipId(panel.code, patient));
  const [view] = group ? await viewsOf(panel, records, [group]) : [];
  return view;
}

async function summaryOf(panel: Panel, records: PagedRecords) {
  const { code, title, description } = panel;
  const members = await records.count('Group', searchFor(panel, { status: 'on' }));
  return { id: code, title, ...(description === undefined ? {} : { description }), members };
}

/** Finds the memberships of those who are on it. */
export const membershipsOn = (panel: Panel): SearchFor => searchFor(panel, { status: 'on' });

/** The same as parameters. */
export function membersOn(panel: Panel): URLSearchParams {
  const all = Object.entries(membershipsOn(panel));
  return new URLSearchParams(all.flatMap(([name, value]) => [value].flat().map((one) => [name, one])));
}

function searchFor(panel: Panel, { status, tier }: Pick<PanelQuery, 'status' | 'tier'>): SearchFor {
  const having = (code: string, system: string, value: string) =>
    `${tokenText(CODE_SYSTEM.panelCharacteristic, code)}$${tokenText(system, value)}`;
  return {
    code: tokenText(CODE_SYSTEM.panel, panel.code),
    'characteristic-value': [
      ...(status ? [having('membership', CODE_SYSTEM.panelMembership, status)] : []),
      ...(tier ? [having('tier', 'http://terminology.hl7.org/CodeSystem/risk-probability', tier)] : []),
    ],
  };
}

async function viewsOf({ method }: Panel, records: Records, groups: readonly Kept<'Group'>[]): Promise<MemberView[]> {
  const ours = groups.flatMap((group) => {
    const patient = keyOf(group)?.patient;
    return patient === undefined ? [] : [{ group, patient }];
  });
  if (ours.length === 0) return [];
  const ids = ours.map(({ patient }) => patient);
  const patients = await findReadable(records, 'Patient', { _id: ids.join(',') });
  const assessments = method
    ? await findReadable(records, 'RiskAssessment', { _id: ids.map((id) => assessmentId(method.code, id)).join(',') })
    : [];
  return ours.map(({ group, patient }) =>
    memberView(group, {
      id: patient,
      patient: patients.find(({ id }) => id === patient),
      assessment: method && assessments.find(({ id }) => id === assessmentId(method.code, patient)),
    }),
  );
}

interface Beside {
  readonly id: string;
  readonly patient: Patient | undefined;
  readonly assessment: RiskAssessment | undefined;
}

function memberView(group: Kept<'Group'>, { id, patient, assessment }: Beside): MemberView {
  const { member = [] } = group;
  const name = personName(patient?.name);
  const tier = tierOf(group);
  const current = assessment?.status === 'cancelled' ? undefined : assessment;
  const score = current && scoreOf(current);
  const open = member.find(isOpen)?.period?.start;
  const caseOf = linkedOf(extensionOf(group, EXTENSION.panelCase)?.valueReference);
  const declined = statusOf(group) === 'declined' ? declineOf(group) : undefined;
  return {
    id: group.id,
    version: group.meta.versionId,
    patient: { reference: `Patient/${id}`, ...(name === undefined ? {} : { display: name }) },
    status: statusOf(group),
    ...(tier === undefined ? {} : { tier }),
    ...(score === undefined ? {} : { score }),
    ...(current ? { assessment: { reference: `RiskAssessment/${current.id}` } } : {}),
    ...(open === undefined ? {} : { since: open }),
    spells: member.map(({ period }) => ({
      ...(period?.start ? { start: period.start } : {}),
      ...(period?.end ? { end: period.end } : {}),
    })),
    why: (group.extension ?? [])
      .filter(({ url }) => url === EXTENSION.panelBasis)
      .flatMap(({ valueReference }) => linkedOf(valueReference) ?? []),
    ...(caseOf ? { case: caseOf } : {}),
    ...(declined ? { declined } : {}),
  };
}

function declineOf(group: Group): MemberView['declined'] {
  const parts = extensionOf(group, EXTENSION.panelDecline)?.extension ?? [];
  const part = (url: string) => parts.find((one) => one.url === url);
  const reason = codedOf(part('reason')?.valueCodeableConcept);
  const by = linkedOf(part('by')?.valueReference);
  const [until, at] = [part('until')?.valueDate, part('at')?.valueDateTime];
  return {
    ...(until === undefined ? {} : { until }),
    ...(reason ? { reason } : {}),
    ...(by ? { by } : {}),
    ...(at === undefined ? {} : { at }),
  };
}

const extensionOf = ({ extension }: Group, url: string) => extension?.find((one) => one.url === url);
