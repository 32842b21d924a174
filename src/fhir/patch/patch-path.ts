// The paths of FHIRPath Patch: FHIRPath, kept to what can select an element and cannot take long.
// https://hl7.org/fhir/R4/fhirpatch.html
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { compileExpression } from '../fhirpath/compile.ts';
import { refuse } from './json-pointer.ts';
import type { Found, JsonObject, Twin } from './places.ts';

const MAX_LENGTH = 500;
/** No regular expressions, no walks over everything, nothing that makes values. */
const FUNCTIONS = new Set(
  'where first last tail skip take single exists empty not extension ofType as is resolve startsWith endsWith contains count lower upper'.split(
    ' ',
  ),
);
const LITERALS = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`/g;

/** @throws Fault unprocessable for a path that is too long or uses a function that is not allowed in patches */
export function checkPath(path: string, where: string): void {
  if (path.length > MAX_LENGTH) throw refuse(`A path may have ${MAX_LENGTH} characters.`, where);
  for (const [, name = ''] of path.replace(LITERALS, '""').matchAll(/([A-Za-z_]\w*)\s*\(/g)) {
    if (FUNCTIONS.has(name) || name === 'and' || name === 'or' || name === 'xor') continue;
    throw refuse(`The function ${name}() cannot be used in the path of a patch.`, where);
  }
}

/** Whether which element the path selects depends on what the resource says. */
export function readsContent(path: string): boolean {
  return /[(=<>~!]/.test(path);
}

/**
 * The elements that a path selects.
 * @throws Fault unprocessable for a path that is no FHIRPath, or leads to something else than elements of the resource
 */
export function select(twin: Twin, resource: Resource, path: string, where: string): Found[] {
  return evaluate(twin, resource, path, where).map((item) => {
    const found = twin.find(item);
    if (!found) throw refuse(`The path ${path} leads to something that is not an element of the resource.`, where);
    return found;
  });
}

function evaluate({ root }: Twin, { resourceType }: Resource, path: string, where: string) {
  const contained = Array.isArray(root.contained) ? (root.contained as JsonObject[]) : [];
  const resolve = (reference: string) => contained.find(({ id }) => typeof id === 'string' && reference === `#${id}`);
  try {
    return compileExpression(path, resourceType)({ type: resourceType, value: root }, { resolve });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault('unprocessable', `The path ${path} cannot be followed: ${error.message}`, {
      expression: where,
      cause: error,
    });
  }
}

/**
 * `Patient.contact[0].telecom` as what holds the list and the list's name.
 * @throws Fault unprocessable when the path does not end in a name
 */
export function splitLast(path: string, resourceType: string, where: string): { holder: string; name: string } {
  const match = /^(?:(.+)\.)?\s*(?:`([A-Za-z]\w*)`|([A-Za-z]\w*))\s*$/s.exec(path);
  const name = match?.[2] ?? match?.[3];
  if (name === undefined) throw refuse(`The path ${path} must end in the name of a list.`, where);
  return { holder: match?.[1]?.trim() ?? resourceType, name };
}
