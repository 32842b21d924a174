// A part of a resource, for `_elements` and `_summary`: what was asked for, what is mandatory, and the tag that says so.
// https://hl7.org/fhir/R4/search.html#elements and https://hl7.org/fhir/R4/search.html#summary
import type { ElementDefinition } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import type { Definitions } from './definitions.ts';
import type { Pairs } from './request-url.ts';

/** Stored JSON text to the JSON text to send. */
export type Subset = (content: string) => string;
/** Reads `_elements` and `_summary` out of the parameters. `_elements` wins when both are there. */
export type Subsetter = (pairs: Pairs) => Subset;

const SUBSETTED = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };
const ALWAYS = ['resourceType', 'id', 'meta'];
const SUMMARIES = ['true', 'false', 'text', 'data', 'count'];

/** By name of a top-level element, without `[x]`. */
type Wanted = (name: string) => boolean;

const whole: Subset = (content) => content;

export function createSubsetter(definitions: Pick<Definitions, 'structure'>): Subsetter {
  const cut = (wanted: Wanted): Subset => {
    return (content) => {
      const resource = JSON.parse(content);
      const elements = topLevel(definitions.structure(resource.resourceType)?.elements ?? []);
      const keep = (key: string) => {
        if (ALWAYS.includes(key)) return true;
        const [name, element] = elementOf(elements, key.replace(/^_/, '')) ?? [];
        return name !== undefined && element !== undefined && (element.min !== 0 || wanted(name));
      };
      const kept = Object.fromEntries(Object.entries(resource).filter(([key]) => keep(key)));
      return JSON.stringify(withTag(kept));
    };
  };
  return (pairs) => {
    const names = pairs.filter(([name]) => name === '_elements').flatMap(([, value]) => value.split(','));
    const summary = summaryIn(pairs);
    if (names.length > 0) return cut(byName(names));
    if (summary === 'text') return cut((name) => name === 'text');
    if (summary === 'data') return cut((name) => name !== 'text');
    // For `true` R4 lets a server return more than the summary, and the installed definitions do not say what is in it.
    return whole;
  };
}

/** @throws Fault invalid for a value that FHIR does not define */
export function summaryIn(pairs: Pairs): string | undefined {
  const summary = pairs.find(([name]) => name === '_summary')?.[1];
  if (summary === undefined || SUMMARIES.includes(summary)) return summary;
  throw new Fault('invalid', `_summary must be ${SUMMARIES.join(', ')}.`, { code: 'value' });
}

function byName(names: readonly string[]): Wanted {
  // `Patient.name`, `name.family` and `value[x]` all ask for a top-level element.
  const wanted = new Set(
    names.map((name) =>
      name
        .trim()
        .replace(/^[A-Z]\w*\./, '')
        .replace(/[.[].*$/, ''),
    ),
  );
  return (name) => wanted.has(name);
}

type TopLevel = ReadonlyMap<string, ElementDefinition>;

/** Name without `[x]` to definition, for the elements directly below the root. */
function topLevel(elements: readonly ElementDefinition[]): TopLevel {
  const direct = elements.filter(({ path }) => path.split('.').length === 2);
  return new Map(direct.map((element) => [element.path.split('.')[1] ?? '', element]));
}

/** The element that a JSON key belongs to: `valueQuantity` to `value[x]`. */
function elementOf(elements: TopLevel, key: string): [string, ElementDefinition] | undefined {
  const exact = elements.get(key);
  if (exact) return [key, exact];
  for (const [name, element] of elements) {
    const stem = name.replace('[x]', '');
    if (stem !== name && key.startsWith(stem) && /^[A-Z]/.test(key.slice(stem.length))) return [stem, element];
  }
  return undefined;
}

function withTag(resource: Record<string, unknown>): Record<string, unknown> {
  const meta = (resource.meta ?? {}) as { tag?: unknown[] };
  return { ...resource, meta: { ...meta, tag: [...(meta.tag ?? []), SUBSETTED] } };
}
