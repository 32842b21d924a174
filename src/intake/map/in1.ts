// IN1 -> Coverage. https://build.fhir.org/ig/HL7/v2-to-fhir/ConceptMap-segment-in1-to-coverage.html
import type { Coverage, Organization, Patient, Reference } from '@medplum/fhirtypes';
import type { Segment } from '../er7/message.ts';
import { readDate } from '../er7/timestamp.ts';
import { lookUpCoding } from '../tables.ts';
import { readConcept } from './coded.ts';
import { digest } from './digest.ts';
import { authoritySystem, type Identified, readIdentifier } from './identifier.ts';
import { mergeCarried, stampLatest } from './merge.ts';
import { organization } from './parties.ts';
import { filled, present } from './person.ts';
import type { Reading } from './reading.ts';
import { COVERAGE_SYSTEM } from './systems.ts';

/** Adds a Coverage draft per IN1 that names a payer. */
export function draftCoverages(reading: Reading, beneficiary: Reference<Patient>, key: Identified): void {
  for (const in1 of reading.message.segments('IN1')) {
    const payor = readPayor(in1, reading);
    if (!payor) continue;
    const member = in1.text(49) || in1.text(36);
    const identity = digest(key.system, key.value, in1.text(3), in1.text(4), in1.text(2), member);
    const identifier = { system: COVERAGE_SYSTEM, value: identity };
    const memberId = readIdentifier(in1.first(49), reading.facility.code, 'MB');
    const relation = lookUpCoding('subscriber', in1.text(17));
    const resource: Coverage = {
      resourceType: 'Coverage',
      identifier: [identifier, ...(memberId ? [memberId] : [])],
      status: 'active',
      beneficiary,
      payor: [payor],
      ...present({
        type: readConcept(in1.first(15), 'http://terminology.hl7.org/CodeSystem/v2-0086'),
        subscriberId: member,
        relationship: relation ? { coding: [relation] } : undefined,
        period: present({ start: readDate(in1, 12), end: readDate(in1, 13) }),
        order: /^[1-9]\d?$/.test(in1.text(22) || in1.text(1)) ? Number(in1.text(22) || in1.text(1)) : undefined,
        class: classes(in1),
      }),
    };
    reading.drafts.add(stampLatest(resource, reading.eventTime), identifier, mergeCarried(reading.eventTime));
  }
}

function readPayor(in1: Segment, reading: Reading): Reference<Organization> | undefined {
  const company = in1.first(3);
  const name = in1.text(4);
  if (company.get(1) === '') return name ? { display: name } : undefined;
  const authority = { name: company.get(4, 1), id: company.get(4, 2) };
  const system = authoritySystem(authority, reading.facility.code);
  return organization(name || company.get(1), system, company.get(1), reading);
}

/** IN1-8 and 9: the group; IN1-2: the plan. */
function classes(in1: Segment): Coverage['class'] {
  const row = (code: string, value: string, name: string) =>
    value === ''
      ? undefined
      : {
          type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/coverage-class', code }] },
          value,
          ...present({ name }),
        };
  return filled([row('group', in1.text(8), in1.text(9)), row('plan', in1.text(2), in1.first(2).get(2))]);
}
