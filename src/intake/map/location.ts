// PL -> a chain of Location drafts (building, floor, point of care, room, bed), each part of the one before; the most
// granular is what an Encounter points at.
import type { Location, Reference } from '@medplum/fhirtypes';
import type { Repetition } from '../er7/message.ts';
import { facilityOrganization } from './parties.ts';
import type { Reading } from './reading.ts';
import { SID } from './systems.ts';

const PHYSICAL_TYPE = 'http://terminology.hl7.org/CodeSystem/location-physical-type';

/** Component of PL, code and display of the place it names, from the outside in. */
const LEVELS = [
  [7, 'bu', 'Building'],
  [8, 'lvl', 'Level'],
  [1, 'wa', 'Ward'],
  [2, 'ro', 'Room'],
  [3, 'bd', 'Bed'],
] as const;

/** Undefined when the field names no place. */
export function readLocation(field: Repetition, reading: Reading): Reference<Location> | undefined {
  const path = [field.get(4) || reading.facility.code];
  let innermost: Reference<Location> | undefined;
  for (const [component, code, level] of LEVELS) {
    const name = field.get(component);
    if (name === '') continue;
    path.push(`${code}=${name}`);
    const identifier = { system: `${SID}location`, value: path.join('/') };
    const resource: Location = {
      resourceType: 'Location',
      identifier: [identifier],
      status: 'active',
      name,
      mode: 'instance',
      physicalType: { coding: [{ system: PHYSICAL_TYPE, code, display: level }] },
      managingOrganization: facilityOrganization(reading),
      ...(innermost ? { partOf: innermost } : {}),
    };
    // A bed's letter means nothing without its ward and room, so a reference shows all that has been named so far.
    const display = [innermost?.display, name].filter(Boolean).join(' ');
    innermost = { ...reading.drafts.share(resource, identifier), display };
  }
  return innermost;
}
