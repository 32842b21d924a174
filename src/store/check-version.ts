// Preconditions of a change: is the resource what the client thinks it is? https://hl7.org/fhir/R4/http.html#concurrency
import { Fault } from '../fault.ts';
import type { CurrentRow } from './step.ts';

/** @param id of the resource, for the sentence. @throws Fault precondition when it is not at the version `ifMatch` */
export function checkVersion(
  type: string,
  id: string,
  current: CurrentRow | undefined,
  ifMatch: string | undefined,
): void {
  if (ifMatch === undefined || String(current?.version) === ifMatch) return;
  throw new Fault(
    'precondition',
    current
      ? `${type}/${id} is at version ${current.version}, not at version ${ifMatch}; read it again before changing it.`
      : `If-Match asks for version ${ifMatch} of ${type}/${id}, which does not exist.`,
    { expression: `${type}.meta.versionId` },
  );
}

/** @throws Fault precondition when the client wants to create and the resource is there */
export function checkAbsent(type: string, id: string, current: CurrentRow | undefined): void {
  if (!current || current.deleted) return;
  throw new Fault('precondition', `${type}/${id} exists already, and the request says to create it only.`);
}
