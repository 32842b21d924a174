// CX and the id parts of XCN, XON and EI -> Identifier. https://build.fhir.org/ig/HL7/v2-to-fhir/
import type { Identifier } from '@medplum/fhirtypes';
import type { Repetition } from '../er7/message.ts';
import { SID } from './systems.ts';

const OID = /^[0-2](\.(0|[1-9]\d*))+$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** An identifier that says whose it is. */
export type Identified = Identifier & { system: string; value: string };

/** Namespaces that everybody knows under a URI of their own. */
const WELL_KNOWN: Record<string, string> = {
  NPI: 'http://hl7.org/fhir/sid/us-npi',
  USSSA: 'http://hl7.org/fhir/sid/us-ssn',
  SSA: 'http://hl7.org/fhir/sid/us-ssn',
};

/**
 * The system of an assigning authority (HD): OID or UUID as urn, a URI as it is, else Baton's own URI for its name.
 * @param fallback name used when the authority is empty: the sending facility
 */
export function authoritySystem(authority: { name: string; id: string }, fallback: string): string {
  const { name, id } = authority;
  if (OID.test(id)) return `urn:oid:${id}`;
  if (UUID.test(id)) return `urn:uuid:${id.toLowerCase()}`;
  if (/^(https?:\/\/|urn:)\S+$/.test(id)) return id;
  return WELL_KNOWN[name] ?? SID + encodeURIComponent(name || id || fallback);
}

/** A CX field: 1 id, 4 assigning authority, 5 type. */
export function readIdentifier(field: Repetition, facility: string, type?: string): Identified | undefined {
  const value = field.get(1);
  if (value === '') return undefined;
  const authority = { name: field.get(4, 1), id: field.get(4, 2) };
  const code = type ?? field.get(5);
  const system = code === 'SS' && !OID.test(authority.id) ? WELL_KNOWN.USSSA : authoritySystem(authority, facility);
  return { ...identifierType(code), system: system ?? SID, value };
}

/** `Identifier.type` from table 0203. */
export function identifierType(code: string): Pick<Identifier, 'type'> {
  if (!/^[A-Z0-9]{1,10}$/.test(code)) return {};
  return { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code }] } };
}
