// Which elements of a resource its search rows can come from, told from the text of a path. It says yes too often rather
// than too seldom: a path that does not name an element cannot read it, unless it reads elements without naming them.
import type { Resource } from '@medplum/fhirtypes';

/** Whether a path may read one of the elements, e.g. `status` or `valueQuantity`, or anything that every version has anew. */
export type Reads = (elements: readonly string[]) => boolean;

/** Ways to reach elements without their names, and what the store itself changes in every version. */
const UNNAMED = /\b(children|descendants|repeat|lastUpdated|versionId)\b|[$%]/;
const NAMES = /[A-Za-z]\w*/g;

/** @param paths FHIRPath from the resource on */
export function elementsRead(paths: readonly string[]): Reads {
  const names = new Set(paths.flatMap((path) => path.match(NAMES) ?? []));
  const isNamed = paths.every((path) => !UNNAMED.test(path) && /\W[a-z]/.test(path));
  if (!isNamed) return () => true;
  const known = new Map<string, boolean>();
  const mayRead = (element: string) => {
    const before = known.get(element);
    if (before !== undefined) return before;
    const name = element.replace(/^_/, '');
    // A path names a choice without its type: `value` is valueQuantity as well.
    const reads = [...names].some((each) => name.startsWith(each) && !/^[a-z\d]/.test(name.slice(each.length)));
    known.set(element, reads);
    return reads;
  };
  return (elements) => elements.some(mayRead);
}

/** The elements in which two versions of a resource differ; of `meta` what the store writes there does not count. */
export function changedElements(before: Resource, after: Resource): string[] {
  const [old, now] = [membersOf(before), membersOf(after)];
  const names = new Set([...Object.keys(old), ...Object.keys(now)]);
  return [...names].filter(
    (name) => old[name] !== now[name] && JSON.stringify(old[name]) !== JSON.stringify(now[name]),
  );
}

function membersOf(resource: Resource): Record<string, unknown> {
  const { versionId: _, lastUpdated: __, ...meta } = resource.meta ?? {};
  return { ...resource, meta };
}
