// The membership of one patient of one panel: an actual Group of that patient alone, so that who may see the patient's record
// sees the membership and nobody sees in it who else is on the panel. Each spell on the panel is a member with its period.
import type { Extension, Group, GroupCharacteristic, GroupMember, Resource } from '@medplum/fhirtypes';
import { type Json, sameJson } from '../../fhir/canonical-json.ts';
import { concept, hasCode } from '../concept.ts';
import { derivedId } from '../derived-id.ts';
import { localDate, toFhirDateTime } from '../local-time.ts';
import { CODE_SYSTEM, EXTENSION, IDENTIFIER } from '../systems.ts';
import { withLabelsOf } from './labels.ts';
import type { Panel } from './panel.ts';
import type { Risk } from './scoring-method.ts';

export const MEMBERSHIP_STATUSES = ['on', 'off', 'declined'] as const;
/** Code of CodeSystem panel-membership. */
export type MembershipStatus = (typeof MEMBERSHIP_STATUSES)[number];

const STATUS_WORDS: Readonly<Record<MembershipStatus, string>> = {
  on: 'On the panel',
  off: 'Left the panel',
  declined: 'Declined',
};
const RISK_WORDS: Readonly<Record<Risk, string>> = {
  negligible: 'Negligible likelihood',
  low: 'Low likelihood',
  moderate: 'Moderate likelihood',
  high: 'High likelihood',
  certain: 'Certain',
};

export const riskConcept = (risk: Risk) =>
  concept('http://terminology.hl7.org/CodeSystem/risk-probability', risk, RISK_WORDS[risk]);

export interface When {
  readonly now: Temporal.Instant;
  /** IANA time zone. */
  readonly zone: string;
}

/** What an evaluation says. */
export interface Found {
  readonly belongs: boolean;
  readonly basis: readonly Resource[];
  readonly tier?: Risk;
}

export const membershipId = (panel: string, patient: string) => derivedId('panel-member', panel, patient);

/** Undefined when the Group is no membership. */
export function keyOf(group: Group): { panel: string; patient: string } | undefined {
  const value = group.identifier?.find(({ system }) => system === IDENTIFIER.panelMember)?.value;
  const [, panel, patient] = /^([^|]+)\|([^|]+)$/.exec(value ?? '') ?? [];
  return panel === undefined || patient === undefined ? undefined : { panel, patient };
}

export function statusOf(group: Group | undefined): MembershipStatus {
  const value = characteristicOf(group, 'membership')?.valueCodeableConcept;
  return MEMBERSHIP_STATUSES.find((status) => hasCode(value, CODE_SYSTEM.panelMembership, status)) ?? 'off';
}

export function tierOf(group: Group): string | undefined {
  return characteristicOf(group, 'tier')?.valueCodeableConcept?.coding?.[0]?.code;
}

/** The last day, of the caller's, on which the patient stays off. */
export function declinedUntil(group: Group | undefined): string | undefined {
  const decline = group?.extension?.find(({ url }) => url === EXTENSION.panelDecline);
  return decline?.extension?.find(({ url }) => url === 'until')?.valueDate;
}

/** A decline that is over by itself binds nobody any more. */
export function isDeclined(group: Group | undefined, { now, zone }: When): boolean {
  const until = statusOf(group) === 'declined' ? declinedUntil(group) : undefined;
  return until !== undefined && localDate(now, zone).toString() <= until;
}

/**
 * The membership as an evaluation leaves it.
 * @param panel with its title; of one that is no panel any more only the code is known
 * @returns undefined when it stays as it is, or when there is and was none
 */
export function nextMembership(
  panel: Pick<Panel, 'code' | 'title'>,
  patient: string,
  current: Group | undefined,
  { belongs, basis, tier }: Found,
  when: When,
): Group | undefined {
  if (!current && !belongs) return undefined;
  const declined = isDeclined(current, when);
  const status: MembershipStatus = declined ? 'declined' : belongs ? 'on' : 'off';
  const kept = (current?.extension ?? []).filter(
    ({ url }) => url !== EXTENSION.panelBasis && (declined || url !== EXTENSION.panelDecline),
  );
  const shown = status === 'on' ? referencesTo(basis) : [];
  const next = write(panel, patient, current, {
    status,
    ...(status === 'on' && tier ? { tier } : {}),
    extension: [...kept, ...shown.map((valueReference) => ({ url: EXTENSION.panelBasis, valueReference }))],
    when,
  });
  const labelled = withLabelsOf(next, shown.length > 0 ? basis : []);
  return current && isSame(current, labelled) ? undefined : labelled;
}

/** The membership with the decline; it is left now. */
export function declineMembership(
  panel: Pick<Panel, 'code' | 'title'>,
  patient: string,
  current: Group | undefined,
  decline: Extension,
  when: When,
): Group {
  const kept = (current?.extension ?? []).filter(
    ({ url }) => url !== EXTENSION.panelBasis && url !== EXTENSION.panelDecline,
  );
  return write(panel, patient, current, { status: 'declined', extension: [...kept, decline], when });
}

/** The membership with the case that was opened because of it; a decline is taken back. */
export function enrolledMembership(
  panel: Pick<Panel, 'code' | 'title'>,
  patient: string,
  current: Group,
  reference: string,
  when: When,
): Group {
  const kept = (current.extension ?? []).filter(
    ({ url }) => url !== EXTENSION.panelCase && url !== EXTENSION.panelDecline,
  );
  const tier = tierOf(current) as Risk | undefined;
  const extension = [...kept, { url: EXTENSION.panelCase, valueReference: { reference } }];
  return write(panel, patient, current, { status: 'on', ...(tier ? { tier } : {}), extension, when });
}

interface State {
  readonly status: MembershipStatus;
  readonly tier?: Risk;
  readonly extension: readonly Extension[];
  readonly when: When;
}

function write(
  panel: Pick<Panel, 'code' | 'title'>,
  patient: string,
  current: Group | undefined,
  { status, tier, extension, when }: State,
): Group {
  const others = (current?.characteristic ?? []).filter(
    ({ code }) => !['membership', 'tier'].some((one) => hasCode(code, CODE_SYSTEM.panelCharacteristic, one)),
  );
  const base: Group = current ?? {
    resourceType: 'Group',
    id: membershipId(panel.code, patient),
    identifier: [{ system: IDENTIFIER.panelMember, value: `${panel.code}|${patient}` }],
    type: 'person',
    actual: true,
    code: concept(CODE_SYSTEM.panel, panel.code, panel.title),
    name: panel.title,
  };
  const { extension: _extension, ...rest } = base;
  return {
    ...rest,
    ...(extension.length > 0 ? { extension: [...extension] } : {}),
    active: status === 'on',
    quantity: status === 'on' ? 1 : 0,
    characteristic: [
      characteristic('membership', 'Membership', concept(CODE_SYSTEM.panelMembership, status, STATUS_WORDS[status])),
      ...(tier ? [characteristic('tier', 'Risk tier', riskConcept(tier))] : []),
      ...others,
    ],
    ...spells(current?.member ?? [], patient, status === 'on', toFhirDateTime(when.now, when.zone)),
  };
}

/** Members are ended, never removed; who comes back is a member once more. */
function spells(
  members: readonly GroupMember[],
  patient: string,
  isOn: boolean,
  at: string,
): { member?: GroupMember[] } {
  const open = members.some((member) => isOpen(member));
  if (isOn && open) return { member: [...members] };
  const ended = members.map((member) =>
    isOpen(member) ? { ...member, period: { ...member.period, end: at }, inactive: true } : member,
  );
  const entity = { reference: `Patient/${patient}` };
  const all = isOn ? [...ended, { entity, period: { start: at }, inactive: false }] : ended;
  return all.length > 0 ? { member: all } : {};
}

export const isOpen = ({ period, inactive }: GroupMember) => period?.end === undefined && inactive !== true;

function characteristic(
  code: string,
  display: string,
  valueCodeableConcept: GroupCharacteristic['valueCodeableConcept'],
): GroupCharacteristic {
  return { code: concept(CODE_SYSTEM.panelCharacteristic, code, display), valueCodeableConcept, exclude: false };
}

function characteristicOf(group: Group | undefined, code: string): GroupCharacteristic | undefined {
  return group?.characteristic?.find((one) => hasCode(one.code, CODE_SYSTEM.panelCharacteristic, code));
}

/** In an order of their own, so that the order in which they were found makes no difference. */
export function referencesTo(resources: readonly Resource[]): { reference: string }[] {
  const named = resources.map(({ resourceType, id }) => `${resourceType}/${id}`);
  return [...new Set(named)].sort().map((reference) => ({ reference }));
}

export function isSame(current: Resource, next: Resource): boolean {
  return sameJson(current as unknown as Json, next as unknown as Json);
}
