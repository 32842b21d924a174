// In which roles an actor of a provision is somebody who gets data. In the others (author, custodian, witness…) the actor
// says which data is meant, which Baton does not support.
// https://hl7.org/fhir/R4/valueset-security-role-type.html
import type { CodeableConcept } from '@medplum/fhirtypes';

const THO = 'http://terminology.hl7.org/CodeSystem/';

const RECIPIENTS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    [`${THO}v3-ParticipationType`]: 'IRCP PRCP REFT TRC',
    [`${THO}v3-ParticipationFunction`]: 'AUCG AULR AUTM AUWA PROMSK',
    [`${THO}v3-RoleClass`]: 'AFFL AGNT ASSIGNED CLAIM COVPTY DEPEN ECON EMP GUARD INVSBJ NAMED NOK PAT PROV',
    [`${THO}v3-RoleCode`]: 'DELEGATEE DPOWATT EXCEST GRANTEE GT GUADLTM HPOWATT POWATT RESPRSN SPOWATT',
    [`${THO}extra-security-role-type`]: 'authserver dataprocessor humanuser',
  }).map(([system, codes]) => [system, new Set(codes.split(' '))]),
);

/** True when the role is known as one of a recipient. */
export function isRecipient(role: CodeableConcept | undefined): boolean {
  return (role?.coding ?? []).some(({ system = '', code = '' }) => RECIPIENTS.get(system)?.has(code) === true);
}
