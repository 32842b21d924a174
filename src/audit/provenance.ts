// Who made what one commit did to one patient's record, as a Provenance that fits US Core: the author is the person, or the application when there is none;
// the transmitter is the application that a person used, or Baton for what came over a connection.
// http://hl7.org/fhir/us/core/StructureDefinition/us-core-provenance
import type { CodeableConcept, Provenance, ProvenanceAgent } from '@medplum/fhirtypes';
import { derivedId } from '../care/derived-id.ts';
import type { LogEntry } from '../store/store.ts';
import { AUTHORS, COMPONENT } from './systems.ts';

const ACTIVITIES = { create: 'CREATE', update: 'UPDATE', delete: 'DELETE' } as const;
type Who = NonNullable<ProvenanceAgent['who']>;

const PARTICIPANT = 'http://terminology.hl7.org/CodeSystem/provenance-participant-type';
const US_CORE_PARTICIPANT = 'http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type';

/** An update may create, too; the log says what was asked for. */
export const activityOf = ({ versionId, operation }: LogEntry) =>
  versionId === '1' ? 'CREATE' : ACTIVITIES[operation];

/**
 * @param entries versions that one activity made, the first of which gives the id
 * @param baseUrl of this Baton, by which the organization that runs it is known
 */
export function provenanceOf(entries: readonly [LogEntry, ...LogEntry[]], baseUrl: string): Provenance {
  const [entry] = entries;
  const { type, id, versionId, lastUpdated } = entry;
  const code = activityOf(entry);
  return {
    resourceType: 'Provenance',
    id: derivedId('provenance', type, id, versionId),
    target: entries.map((one) => ({ reference: `${one.type}/${one.id}/_history/${one.versionId}` })),
    occurredDateTime: lastUpdated,
    recorded: lastUpdated,
    activity: concept('http://terminology.hl7.org/CodeSystem/v3-DataOperation', code, code.toLowerCase()),
    agent: agentsOf(entry, baseUrl),
  };
}

function agentsOf({ actor, kind, client, origin }: LogEntry, baseUrl: string): ProvenanceAgent[] {
  const onBehalfOf: Who = { identifier: { value: baseUrl }, display: 'The organization that runs this Baton' };
  const author: ProvenanceAgent = {
    type: concept(PARTICIPANT, 'author', 'Author'),
    who: whoIs(actor, kind),
    onBehalfOf,
  };
  const over = client === null && origin !== null ? identified(`connection ${origin}`) : undefined;
  const by = client === null ? over : named(client);
  return by
    ? [author, { type: concept(US_CORE_PARTICIPANT, 'transmitter', 'Transmitter'), who: by, onBehalfOf }]
    : [author];
}

/** A person by the resource that is theirs, an application or a part of Baton by its name. */
function whoIs(actor: string, kind: LogEntry['kind']): Who {
  if (kind === 'user') return AUTHORS.test(actor) ? { reference: actor } : named(actor);
  if (kind === 'client') return named(actor);
  return identified(actor.replace(/^Device\//, ''));
}

const named = (value: string): Who => ({ identifier: { value } });
const identified = (value: string): Who => ({ type: 'Device', identifier: { system: COMPONENT, value } });

function concept(system: string, code: string, display: string): CodeableConcept {
  return { coding: [{ system, code, display }] };
}
