// XCN, XON and HD -> Practitioner and Organization drafts. Without an id there is nothing to recognise them by, so only
// their name is kept in the reference.
import type { HumanName, Organization, Practitioner, Reference } from '@medplum/fhirtypes';
import type { Repetition } from '../er7/message.ts';
import { authoritySystem, identifierType } from './identifier.ts';
import { readName } from './person.ts';
import type { Reading } from './reading.ts';
import { FACILITY_SYSTEM } from './systems.ts';

/** XCN: 1 id, 2 to 7 name, 9 assigning authority, 13 type of the id. */
export function readPractitioner(field: Repetition, reading: Reading): Reference<Practitioner> | undefined {
  const name = readName(field, 2);
  const display = name && displayName(name);
  const value = field.get(1);
  if (value === '') return display ? { display } : undefined;
  const type = field.get(13);
  const authority = { name: type === 'NPI' ? 'NPI' : field.get(9, 1), id: field.get(9, 2) };
  const identifier = { ...identifierType(type), system: authoritySystem(authority, reading.facility.code), value };
  const resource: Practitioner = {
    resourceType: 'Practitioner',
    identifier: [identifier],
    active: true,
    ...(name ? { name: [name] } : {}),
  };
  return { ...reading.drafts.share(resource, identifier), ...(display ? { display } : {}) };
}

/** XON: 1 name, 3 or 10 id, 6 assigning authority. */
export function readOrganization(field: Repetition, reading: Reading): Reference<Organization> | undefined {
  const name = field.get(1);
  const value = field.get(10) || field.get(3);
  if (value === '') return name ? { display: name } : undefined;
  const authority = { name: field.get(6, 1), id: field.get(6, 2) };
  return organization(name || value, authoritySystem(authority, reading.facility.code), value, reading);
}

/** The sending facility. */
export function facilityOrganization(reading: Reading): Reference<Organization> {
  return organization(reading.facility.name, FACILITY_SYSTEM, reading.facility.code, reading);
}

export function organization(name: string, system: string, value: string, reading: Reading): Reference<Organization> {
  const resource: Organization = {
    resourceType: 'Organization',
    identifier: [{ system, value }],
    active: true,
    name,
  };
  return { ...reading.drafts.share(resource, { system, value }), display: name };
}

function displayName(name: HumanName): string {
  return [...(name.prefix ?? []), ...(name.given ?? []), name.family, ...(name.suffix ?? [])].filter(Boolean).join(' ');
}
