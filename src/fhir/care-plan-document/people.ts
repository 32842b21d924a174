// Who somebody is and how they are reached.
import type { CareTeam, CareTeamParticipant, Reference, Resource } from '@medplum/fhirtypes';
import type { Fact, Item } from './document.ts';
import { facts } from './facts.ts';
import { follow, ownWords, type PlanRecord } from './record.ts';
import { clean, conceptTexts, contactTexts, identifierTexts, nameText, periodText } from './words.ts';

/** Empty when it may not be shown. */
export function whoText(record: PlanRecord, reference: Reference | undefined): string {
  const resource = follow(record, reference);
  return resource ? whoIs(record, resource) : ownWords(reference);
}

export function whoTexts(record: PlanRecord, references: readonly Reference[] | undefined): string {
  return (references ?? [])
    .map((reference) => whoText(record, reference))
    .filter((text) => text !== '')
    .join('; ');
}

/** The facts that tell one patient from another. */
export function personFacts(record: PlanRecord, subject: Reference | undefined): Fact[] {
  const patient = follow(record, subject);
  if (patient?.resourceType !== 'Patient') return [];
  return facts({
    Patient: nameText(patient.name),
    'Born on': clean(patient.birthDate),
    Sex: clean(patient.gender),
    Identifiers: identifierTexts(record.identifiers ?? patient.identifier),
    'Primary care': whoTexts(record, patient.generalPractitioner),
  });
}

export function teamItems(record: PlanRecord, teams: readonly Reference[] | undefined): Item[] {
  const found = (teams ?? []).flatMap((reference) => follow(record, reference) ?? []);
  return found.flatMap((team) => (team.resourceType === 'CareTeam' ? membersOf(record, team) : []));
}

function membersOf(record: PlanRecord, team: CareTeam): Item[] {
  return (team.participant ?? []).flatMap((participant) => memberItem(record, participant) ?? []);
}

function memberItem(record: PlanRecord, { member, role, onBehalfOf, period }: CareTeamParticipant): Item | undefined {
  const name = whoText(record, member);
  if (name === '') return undefined;
  const resource = follow(record, member);
  return {
    text: name,
    facts: facts({
      Role: conceptTexts(role),
      For: whoText(record, onBehalfOf),
      Contact: resource ? contactsOf(record, resource) : '',
      Period: periodText(period),
    }),
  };
}

function whoIs(record: PlanRecord, resource: Resource): string {
  switch (resource.resourceType) {
    case 'Patient':
    case 'Practitioner':
    case 'RelatedPerson':
      return nameText(resource.name);
    case 'PractitionerRole': {
      const names = [whoText(record, resource.practitioner), whoText(record, resource.organization)];
      return names.filter((name) => name !== '').join(', ') || conceptTexts(resource.code);
    }
    case 'Organization':
    case 'CareTeam':
    case 'HealthcareService':
    case 'Location':
      return clean(resource.name);
    case 'Device':
      return clean(resource.deviceName?.[0]?.name);
    default:
      return '';
  }
}

function contactsOf(record: PlanRecord, resource: Resource): string {
  const own = 'telecom' in resource && Array.isArray(resource.telecom) ? contactTexts(resource.telecom) : '';
  if (own !== '' || resource.resourceType !== 'PractitionerRole') return own;
  const behind = follow(record, resource.practitioner) ?? follow(record, resource.organization);
  return behind ? contactsOf(record, behind) : '';
}
