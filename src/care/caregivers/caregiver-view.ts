// A RelatedPerson as a caregiver, and an Observation about one as strain, whoever wrote them.
import type { Observation } from '@medplum/fhirtypes';
import { codedOf } from '../coded.ts';
import { hasCode } from '../concept.ts';
import { linkedOf } from '../linked.ts';
import { present, some } from '../present.ts';
import type { Kept } from '../records.ts';
import { levelOf, PERMISSION, PERMISSIONS, V2_RELATIONSHIP } from './caregiver-codes.ts';
import type { Caregiver, Strain } from './caregiver-schema.ts';
import { isEmergencyContact } from './write-caregiver.ts';

/** @param strain the latest that was noted of them */
export function viewCaregiver(person: Kept<'RelatedPerson'>, strain?: Strain): Caregiver {
  const { id, meta, active = true, name, relationship = [], telecom = [], communication = [], period } = person;
  const relations = relationship.filter((one) => !hasCode(one, V2_RELATIONSHIP, 'C'));
  const spoken = communication.find(({ preferred }) => preferred) ?? communication[0];
  const granted = (person.extension ?? []).flatMap(({ url, valueCode }) => (url === PERMISSION ? valueCode : []));
  return present<Caregiver>({
    id,
    version: meta.versionId,
    active,
    name: name?.[0] && nameOf(name[0]),
    relationship: some(relations.flatMap((one) => codedOf(one) ?? [])),
    telecom: some(
      telecom.flatMap(({ system, value, use, rank }) => (value ? present({ system, value, use, rank }) : [])),
    ),
    language: spoken?.language?.coding?.[0]?.code,
    permissions: some(PERMISSIONS.filter((permission) => granted.includes(permission))),
    emergencyContact: isEmergencyContact(relationship),
    start: period?.start,
    end: period?.end,
    strain,
  });
}

function nameOf({ given, family, text }: { given?: string[]; family?: string; text?: string }): Caregiver['name'] {
  return present<NonNullable<Caregiver['name']>>({ given, family, text });
}

export function viewStrain(observation: Kept<'Observation'>): Strain {
  return present<Strain>({
    id: observation.id,
    version: observation.meta.versionId,
    level: levelOf(observation.valueCodeableConcept?.coding),
    value: codedOf(observation.valueCodeableConcept),
    observed: observedAt(observation),
    by: linkedOf(observation.performer?.[0]),
    caregiver: linkedOf(observation.focus?.[0]),
    notes: some((observation.note ?? []).flatMap(({ text }) => text ?? [])),
  });
}

export const observedAt = ({ effectiveDateTime, effectivePeriod, effectiveInstant, issued }: Observation) =>
  effectiveDateTime ?? effectivePeriod?.start ?? effectiveInstant ?? issued;
