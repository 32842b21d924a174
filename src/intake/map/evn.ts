// EVN (and MSH) -> Provenance: which event, recorded when, by whom, from which sender.
// https://build.fhir.org/ig/HL7/v2-to-fhir/ConceptMap-segment-evn-to-provenance.html
import type { CodeableConcept, Provenance, Reference, Resource } from '@medplum/fhirtypes';
import { readDateTime } from '../er7/timestamp.ts';
import { readConcept } from './coded.ts';
import { facilityOrganization, readPractitioner } from './parties.ts';
import { filled, present } from './person.ts';
import type { Reading } from './reading.ts';
import { SID } from './systems.ts';

const AGENT = 'http://terminology.hl7.org/CodeSystem/provenance-participant-type';

/** The Provenance of a message, without its targets; call it before the drafts are matched, it may add to them. */
export function readProvenance(reading: Reading): Omit<Provenance, 'target'> {
  const { message, header, facility, eventTime } = reading;
  const evn = message.segment('EVN');
  const operator = evn && readPractitioner(evn.first(5), reading);
  const agents: Provenance['agent'] = [
    { type: agentType('assembler', 'Assembler'), who: { display: 'Baton intake' } },
    { type: agentType('custodian', 'Custodian'), who: facilityOrganization(reading) },
    ...(operator ? [{ type: agentType('author', 'Author'), who: operator }] : []),
  ];
  return {
    resourceType: 'Provenance',
    recorded: eventTime.toString({ fractionalSecondDigits: 3 }),
    activity: {
      coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0003', code: header.trigger }],
      text: `ADT^${header.trigger}`,
    },
    agent: agents,
    entity: [{ role: 'source', what: messageReference(reading) }],
    ...present({
      occurredDateTime: evn && readDateTime(evn, 6, facility.zone),
      reason: filled([evn && readConcept(evn.first(4), 'http://terminology.hl7.org/CodeSystem/v2-0062')]),
    }),
  };
}

function agentType(code: string, display: string): CodeableConcept {
  return { coding: [{ system: AGENT, code, display }] };
}

/** The message itself, by sender and control id. */
function messageReference({ header, facility }: Reading): Reference<Resource> {
  const sender = encodeURIComponent(`${facility.code}/${header.sendingApplication}`);
  return { identifier: { system: `${SID}message/${sender}`, value: header.controlId } };
}
