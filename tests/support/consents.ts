// Consents in short, for tests: a privacy consent of patient `p1` with what a test is about.
import type { CodeableConcept, Coding, Consent, ConsentProvision, ConsentProvisionActor } from '@medplum/fhirtypes';

const THO = 'http://terminology.hl7.org/CodeSystem/';

export const actCode = (code: string): Coding => ({ system: `${THO}v3-ActCode`, code });
export const confidentiality = (code: string): Coding => ({ system: `${THO}v3-Confidentiality`, code });
export const purpose = (code: string): Coding => ({ system: `${THO}v3-ActReason`, code });
export const resourceType = (code: string): Coding => ({ system: 'http://hl7.org/fhir/resource-types', code });
export const action = (code: string): CodeableConcept => ({ coding: [{ system: `${THO}consentaction`, code }] });
export const scope = (code: string): CodeableConcept => ({ coding: [{ system: `${THO}consentscope`, code }] });

export function actor(reference: string, role = 'IRCP'): ConsentProvisionActor {
  return { role: { coding: [{ system: `${THO}v3-ParticipationType`, code: role }] }, reference: { reference } };
}

/** @param directive code of v3-ActConsentDirective; none for a consent whose policy Baton does not know */
export function consent(
  directive: string | undefined,
  provision?: ConsentProvision,
  more: Partial<Consent> = {},
): Consent {
  return {
    resourceType: 'Consent',
    id: 'c1',
    status: 'active',
    scope: scope('patient-privacy'),
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient: { reference: 'Patient/p1' },
    policyRule: directive === undefined ? { text: 'house rules' } : { coding: [actCode(directive)] },
    ...(provision ? { provision } : {}),
    ...more,
  };
}
