// A patch of either kind, read from the body of a request. https://hl7.org/fhir/R4/http.html#patch
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { parseExact } from '../exact-json.ts';
import { readFhirPathPatch, selectsByContent } from './fhirpath-patch.ts';
import { readJsonPatch, testsContent } from './json-patch.ts';
import { checkKept, protectedOf } from './protected.ts';

export const JSON_PATCH = 'application/json-patch+json';

export interface Patch {
  /** Changes the resource in place. @throws Fault unprocessable when the patch cannot be applied as a whole */
  readonly revise: (resource: Resource) => Resource;
  /** Whether it can be applied tells what the resource says, so that it needs the right to read. */
  readonly tellsContent: boolean;
}

/**
 * @param body a JSON Patch (an array) or a FHIRPath Patch (Parameters)
 * @throws Fault invalid when it is neither; unprocessable for an operation that is wrong in itself; too-large
 */
export function readPatch(body: unknown): Patch {
  const isJsonPatch = Array.isArray(body);
  const apply = isJsonPatch ? readJsonPatch(body) : readFhirPathPatch(body);
  return {
    tellsContent: isJsonPatch ? testsContent(body) : selectsByContent(body),
    revise(resource) {
      const before = protectedOf(resource);
      const after = apply(resource);
      checkKept(before, after);
      return after;
    },
  };
}

/**
 * The patch in an entry of a Bundle: a Binary with a JSON Patch, or the Parameters of a FHIRPath Patch.
 * @throws Fault as `readPatch`
 */
export function readPatchResource(resource: Readonly<Record<string, unknown>>): Patch {
  if (resource.resourceType !== 'Binary') return readPatch(resource);
  const { contentType, data } = resource;
  if (contentType !== JSON_PATCH || typeof data !== 'string') {
    throw new Fault('invalid', `A Binary in a PATCH entry has the contentType ${JSON_PATCH} and data.`, {
      code: 'value',
    });
  }
  return readPatch(parsePatch(Buffer.from(data, 'base64').toString('utf8')));
}

function parsePatch(text: string): unknown {
  try {
    const value: unknown = parseExact(text);
    if (Array.isArray(value)) return value;
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault('invalid', 'The data of the Binary is not JSON.', { code: 'structure', cause });
  }
  throw new Fault('invalid', 'The data of the Binary must be a JSON Patch, which is a list.', { code: 'structure' });
}
