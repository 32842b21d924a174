// The server's CapabilityStatement, written from what it can do at the moment.
import { getSearchParameter } from '@medplum/core';
import type { CapabilityStatement, CapabilityStatementRestResource } from '@medplum/fhirtypes';
import type { Ehr } from './ehr.ts';

/** @param since when the server started, FHIR dateTime */
export function statementOf(ehr: Ehr, since: string): CapabilityStatement {
  const { rules, abilities } = ehr;
  const system = (['batch', 'transaction', 'history-system'] as const).filter((code) => abilities.has(code));
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: since,
    kind: 'instance',
    ...(rules.software ? { software: { ...rules.software } } : {}),
    implementation: { description: 'Simulated by Baton; fictional data only', url: ehr.base() },
    fhirVersion: '4.0.1',
    format: [...rules.formats],
    ...(rules.patchFormats.length > 0 ? { patchFormat: [...rules.patchFormats] } : {}),
    rest: [
      {
        mode: 'server',
        security: {
          service: [
            {
              coding: [
                { system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' },
              ],
            },
          ],
        },
        resource: abilities.types().map((type) => resourceOf(ehr, type)),
        ...(system.length > 0 ? { interaction: system.map((code) => ({ code })) } : {}),
      },
    ],
  };
}

function resourceOf({ rules, abilities }: Ehr, type: string): CapabilityStatementRestResource {
  const conditional = abilities.has('conditional');
  const interactions = [...abilities.abilitiesOf(type)].map((code) => ({
    code: (code === 'search' ? 'search-type' : code) as 'read',
  }));
  const parameters = [...abilities.parametersOf(type)].map((name) => ({
    name,
    type: kindOf(type, name) as 'token',
  }));
  return {
    type: type as CapabilityStatementRestResource['type'],
    interaction: interactions,
    ...(rules.conditional && abilities.has('versions') ? { versioning: 'versioned-update' as const } : {}),
    readHistory: abilities.can(type, 'vread'),
    updateCreate: conditional,
    conditionalCreate: conditional,
    conditionalUpdate: false,
    ...(parameters.length > 0 ? { searchParam: parameters } : {}),
  };
}

function kindOf(type: string, name: string): string {
  if (name === '_lastUpdated') return 'date';
  return getSearchParameter(type, name)?.type ?? 'token';
}
