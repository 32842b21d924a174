// What the simulated EHR says of itself: only what it does. https://hl7.org/fhir/R4/capabilitystatement.html
import type { CapabilityStatement, CapabilityStatementRestResource } from '@medplum/fhirtypes';
import { EHR_TYPES, searchableParameters } from './vocabulary.ts';

const INTERACTIONS = [
  'read',
  'vread',
  'update',
  'patch',
  'delete',
  'history-instance',
  'history-type',
  'create',
  'search-type',
] as const;

/** @param base FHIR base URL @param since when the server started, FHIR dateTime */
export function ehrCapability(base: string, since: string): CapabilityStatement {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: since,
    kind: 'instance',
    software: { name: 'Baton sandbox EHR "hapi" (Medplum FHIR router)', version: '5.2.13' },
    implementation: { description: 'Simulated external EHR; fictional data only', url: base },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json'],
    patchFormat: ['application/json-patch+json'],
    rest: [
      {
        mode: 'server',
        documentation: 'Transactions are all or nothing; one may carry at most 50 updates.',
        security: {
          service: [
            {
              coding: [
                { system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' },
              ],
            },
          ],
        },
        resource: [...EHR_TYPES].map(resourceCapability),
        interaction: [{ code: 'transaction' }, { code: 'batch' }, { code: 'history-system' }],
      },
    ],
  };
}

function resourceCapability(type: string): CapabilityStatementRestResource {
  const parameters = searchableParameters(type);
  return {
    type: type as CapabilityStatementRestResource['type'],
    interaction: INTERACTIONS.map((code) => ({ code })),
    versioning: 'versioned-update',
    readHistory: true,
    updateCreate: true,
    conditionalCreate: true,
    conditionalRead: 'not-match',
    conditionalUpdate: true,
    conditionalDelete: 'single',
    searchInclude: parameters.filter(({ type: kind }) => kind === 'reference').map(({ code }) => `${type}:${code}`),
    searchParam: parameters.map(({ code, type: kind, url }) => ({
      name: code,
      type: kind,
      ...(url ? { definition: url } : {}),
    })),
  };
}
