// The parts of a path that must be names FHIR knows, wherever the path came from.
import { Fault } from '../../fault.ts';

/** Resource types are part of the path, so an unknown one is a 404. https://hl7.org/fhir/R4/http.html#read */
export function checkPath(
  { type, id, target }: Readonly<Record<string, string>>,
  isType: (type: string) => boolean,
): void {
  for (const segment of [type, id, target]) {
    if (segment?.startsWith('$')) {
      throw new Fault('not-found', 'This operation is not offered here.', { code: 'not-supported' });
    }
  }
  if (type !== undefined && !isType(type)) {
    throw new Fault('not-found', 'The URL does not start with a resource type of FHIR R4.', { code: 'not-supported' });
  }
  if (target !== undefined && (type !== 'Patient' || !isType(target))) {
    throw new Fault('not-found', 'Only Patient/{id}/{type} compartments are offered.', { code: 'not-supported' });
  }
}
