// What Baton makes of a care plan conforms to US Core's DocumentReference, as published.
import { basename } from 'node:path';
import type { CarePlan } from '@medplum/fhirtypes';
import { describe, expect, test } from 'vitest';
import { documentReference } from '../../src/fhir/care-plan-document/document-reference.ts';
import { planDocument } from '../../src/fhir/care-plan-document/plan-document.ts';
import { loadDefinitions } from '../../src/fhir/definitions.ts';
import { createValidator } from '../../src/fhir/validation/validator.ts';
import { corpusFiles, readPackage } from './packages.ts';

const PROFILE = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-documentreference';
const PLAN: CarePlan & { id: string } = {
  resourceType: 'CarePlan',
  id: 'c1',
  meta: { versionId: '3', lastUpdated: '2026-11-24T12:00:00.000Z' },
  status: 'active',
  intent: 'plan',
  title: 'Transition home',
  subject: { reference: 'Patient/p1' },
};

const packages = corpusFiles('igs').filter((file) => file.includes('us.core'));
describe.skipIf(packages.length === 0)('US Core', () => {
  test.each(packages.map((file) => [basename(file), file]))('%s: documents conform', async (_, file) => {
    const { validate } = createValidator(loadDefinitions(readPackage(file).artefacts));
    const document = planDocument({ focus: PLAN, resources: new Map(), isComplete: true });
    for (const formats of [['text/plain', 'application/pdf'], ['application/pdf']] as const) {
      for (const status of ['current', 'superseded', 'entered-in-error'] as const) {
        const resource = await documentReference(document, {
          subject: { reference: 'Patient/9' },
          encounter: { reference: 'Encounter/8' },
          authors: [{ reference: 'Practitioner/7' }],
          identifiers: [{ system: 'https://baton.test/id/projection', value: 'CarePlan/c1' }],
          masterIdentifier: {
            system: 'https://baton.test/id/projection-number',
            value: 'CarePlan/c1/2/0123456789abcdef',
          },
          labels: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'PSY' }],
          description: 'Care plan: Transition home (Baton 0123456789)',
          replaces: 'DocumentReference/6',
          status,
          formats,
        });
        expect(validate(resource, [PROFILE])).toEqual([]);
      }
    }
  });
});
