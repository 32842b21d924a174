// What is compared of a received record. It need not be valid, and what is not as it should be counts as missing. Pure.
import type { Identifier, Patient } from '@medplum/fhirtypes';
import { isJsonObject, type Json, type JsonObject } from '../canonical-json.ts';

/** As a patient, with the parts that are not what a patient has left out: what is received need not be valid. */
export function patientFrom(body: JsonObject): Patient {
  const objects = (value: Json | undefined) => (Array.isArray(value) ? value.filter(isJsonObject) : []);
  const text = (value: Json | undefined) => (typeof value === 'string' ? value : undefined);
  const texts = (value: Json | undefined) =>
    Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
  const { gender, birthDate, multipleBirthInteger } = body;
  return {
    resourceType: 'Patient',
    // Organizations and practitioners have these, too; a name that is a text only is no name of a person.
    identifier: objects(body.identifier) as unknown as Identifier[],
    name: objects(body.name).map(({ family, given, suffix }) => ({
      ...(text(family) === undefined ? {} : { family: text(family) as string }),
      given: texts(given),
      suffix: texts(suffix),
    })),
    telecom: objects(body.telecom).filter(({ value }) => typeof value === 'string') as Patient['telecom'] & object,
    address: objects(body.address).map(({ postalCode, line }) => ({
      ...(text(postalCode) === undefined ? {} : { postalCode: text(postalCode) as string }),
      line: texts(line),
    })),
    ...(typeof gender === 'string' ? { gender: gender as Patient['gender'] & string } : {}),
    ...(typeof birthDate === 'string' ? { birthDate } : {}),
    ...(typeof multipleBirthInteger === 'number' ? { multipleBirthInteger } : {}),
  };
}
