// A record of the audit trail as an AuditEvent after IHE's Basic Audit Log Patterns. docs/audit.md has the table.
// https://profiles.ihe.net/ITI/BALP/
import type { AuditEvent, AuditEventAgent, AuditEventEntity, Coding } from '@medplum/fhirtypes';
import { isId } from '../fhir/request-url.ts';
import type { AuditRow } from '../store/audit-search.ts';
import { DCM, isSync, subtypesOf, typeOf } from './interaction-coding.ts';
import { AUTHORS, COMPONENT, EMERGENCY } from './systems.ts';

type What = NonNullable<AuditEventEntity['what']>;
type Who = NonNullable<AuditEventAgent['who']>;

const ACT_REASON = 'http://terminology.hl7.org/CodeSystem/v3-ActReason';
const PARTICIPATION = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';
const ENTITY_TYPE = 'http://terminology.hl7.org/CodeSystem/audit-entity-type';
const OBJECT_ROLE = 'http://terminology.hl7.org/CodeSystem/object-role';
const REQUEST_ID = 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType';

const SOURCE_ROLE: Coding = { system: DCM, code: '110153', display: 'Source Role ID' };
const DESTINATION_ROLE: Coding = { system: DCM, code: '110152', display: 'Destination Role ID' };
const APPLICATION: Coding = { system: DCM, code: '110150', display: 'Application' };
const CUSTODIAN: Coding = {
  system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type',
  code: 'custodian',
  display: 'Custodian',
};
const SYSTEM_OBJECT: Coding = { system: ENTITY_TYPE, code: '2', display: 'System Object' };

const IP_ADDRESS = '2';
const URI = '5';

export interface AuditEventContext {
  /** FHIR base URL of this Baton. */
  readonly base: string;
  /** Whose access log it is for: other patients and criteria are left out. Absent: all is shown. */
  readonly patient?: string | undefined;
}

export function auditEventOf(row: AuditRow, context: AuditEventContext): AuditEvent {
  const recorded = Temporal.Instant.fromEpochMilliseconds(row.recorded).toString({ fractionalSecondDigits: 3 });
  const purposes = row.emergency !== null && row.purposes.length === 0 ? ['BTG'] : row.purposes;
  const entity = entitiesOf(row, context);
  return {
    resourceType: 'AuditEvent',
    id: String(row.sequence),
    meta: { versionId: '1', lastUpdated: recorded },
    type: typeOf(row.interaction),
    subtype: subtypesOf(row.interaction),
    action: row.action as AuditEvent['action'],
    recorded,
    outcome: outcomeOf(row.status),
    outcomeDesc: row.status === 0 ? 'No answer' : `HTTP status ${row.status}`,
    ...(purposes.length === 0
      ? {}
      : { purposeOfEvent: purposes.map((code) => ({ coding: [{ system: ACT_REASON, code }] })) }),
    agent: agentsOf(row, context),
    source: {
      observer: { identifier: { value: context.base }, display: 'Baton' },
      type: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/security-source-type',
          code: '4',
          display: 'Application Server',
        },
      ],
    },
    ...(entity.length === 0 ? {} : { entity }),
  };
}

/** https://hl7.org/fhir/R4/valueset-audit-event-outcome.html */
function outcomeOf(status: number): NonNullable<AuditEvent['outcome']> {
  if (status === 0 || status >= 500) return '8';
  return status >= 400 ? '4' : '0';
}

/** Client and server, and the person if there is one. In an exchange with another server Baton is the client. */
function agentsOf(row: AuditRow, { base }: AuditEventContext): AuditEventAgent[] {
  const roles = rolesOf(row.interaction);
  const isUser = row.kind === 'user';
  const own = { identifier: { value: base }, display: 'Baton' };
  if (isSync(row.interaction)) {
    const remote: Who = { identifier: { system: COMPONENT, value: `connection ${row.origin ?? ''}`.trim() } };
    return [
      { type: { coding: [roles.client] }, who: own, requestor: true, network: { address: base, type: URI } },
      { type: { coding: [roles.server] }, who: remote, requestor: false, ...networkOf(row.address, URI) },
    ];
  }
  const client = row.client ?? (isUser ? undefined : row.actor);
  const agents: AuditEventAgent[] = [
    {
      type: { coding: [roles.client] },
      who: client === undefined ? { display: 'An application that is not known' } : clientOf(client, row.kind),
      ...(client === undefined || roles.client === APPLICATION ? {} : { altId: client }),
      requestor: !isUser,
      ...networkOf(row.address, IP_ADDRESS),
    },
    { type: { coding: [roles.server] }, who: own, requestor: false, network: { address: base, type: URI } },
  ];
  if (isUser) agents.push(userOf(row));
  return agents;
}

function userOf({ actor, purposes, interaction }: AuditRow): AuditEventAgent {
  const isAuthor = ['create', 'update', 'patch', 'delete', 'transaction'].includes(interaction);
  const type = isAuthor
    ? { system: PARTICIPATION, code: 'AUT', display: 'author (originator)' }
    : { system: PARTICIPATION, code: 'IRCP', display: 'information recipient' };
  const purposeOfUse = purposes.map((code) => ({ coding: [{ system: ACT_REASON, code }] }));
  return {
    type: { coding: [type] },
    who: AUTHORS.test(actor) ? { reference: actor } : { identifier: { value: actor } },
    requestor: true,
    ...(purposeOfUse.length === 0 ? {} : { purposeOfUse }),
  };
}

/** A part of Baton is named with its system, an application as it is registered. */
function clientOf(client: string, kind: string): Who {
  const isPart = kind === 'service' || kind === 'connection';
  return { identifier: isPart ? { system: COMPONENT, value: client.replace(/^Device\//, '') } : { value: client } };
}

/** Which way the data goes, as IHE sees it. */
function rolesOf(interaction: string): { readonly client: Coding; readonly server: Coding } {
  const code = interaction.replace(/^sync-/, '');
  if (code === 'delete') return { client: APPLICATION, server: CUSTODIAN };
  if (code === 'read' || code === 'vread') return { client: DESTINATION_ROLE, server: SOURCE_ROLE };
  return { client: SOURCE_ROLE, server: DESTINATION_ROLE };
}

function networkOf(address: string | null, type: typeof IP_ADDRESS | typeof URI): Pick<AuditEventAgent, 'network'> {
  return address === null ? {} : { network: { address, type } };
}

function entitiesOf(row: AuditRow, context: AuditEventContext): AuditEventEntity[] {
  const { interaction, request, emergency } = row;
  const { patient: own } = context;
  const patients = own === undefined ? row.patients : row.patients.filter((one) => one === own);
  const isOther = own !== undefined && row.type === 'Patient' && row.id !== own;
  const isSearch = /^(sync-)?search/.test(interaction);
  // A read and a write have the resource only, a search the query only: IHE tells entities apart by their type.
  const isPlain = /^(sync-)?(read|vread|create|update|patch|delete)$/.test(interaction);
  const entities: AuditEventEntity[] = [];
  if (request !== null) {
    entities.push({ type: { system: REQUEST_ID, code: 'XrequestId' }, what: { identifier: { value: request } } });
  }
  if (row.type !== null && !isSearch && !isOther) entities.push(dataOf(row));
  // A connection, conflict, message or outbox entry: what an operator did something about.
  if (row.type === null && row.id !== null) {
    entities.push({ what: { identifier: { value: row.id } }, type: SYSTEM_OBJECT });
  }
  // Criteria may name anybody: an access log says what was searched, not by what.
  if (isSearch || (row.query !== null && !isPlain))
    entities.push(queryOf(own === undefined ? row : { ...row, query: null }));
  for (const patient of patients.filter(isId)) {
    entities.push({
      what: { reference: `Patient/${patient}` },
      type: { system: ENTITY_TYPE, code: '1', display: 'Person' },
      role: { system: OBJECT_ROLE, code: '1', display: 'Patient' },
    });
  }
  for (const access of emergency === null ? [] : emergency.split(' ')) {
    entities.push({
      what: { identifier: { system: EMERGENCY, value: access } },
      type: { system: ENTITY_TYPE, code: '4', display: 'Other' },
      description: 'Emergency access under which this was done',
    });
  }
  return entities;
}

function dataOf({ type, id, version }: AuditRow): AuditEventEntity {
  return {
    what: whatOf(type ?? '', id, version),
    type: SYSTEM_OBJECT,
    role: { system: OBJECT_ROLE, code: '4', display: 'Domain Resource' },
  };
}

/** Paths are the client's to choose: what cannot be a reference is kept as text. */
function whatOf(type: string, id: string | null, version: number | null): What {
  const isType = /^[A-Z][A-Za-z]*$/.test(type);
  if (isType && id === null) return { type: type as NonNullable<What['type']> };
  if (!isType || !isId(id ?? '')) return { identifier: { value: id === null ? type : `${type}/${id}` } };
  return { reference: version === null ? `${type}/${id}` : `${type}/${id}/_history/${version}` };
}

function queryOf({ type, query }: AuditRow): AuditEventEntity {
  const asked = `${type ?? ''}${query === null ? '' : `?${query}`}`;
  return {
    type: SYSTEM_OBJECT,
    role: { system: OBJECT_ROLE, code: '24', display: 'Query' },
    query: Buffer.from(asked === '' ? '?' : asked).toString('base64'),
  };
}
