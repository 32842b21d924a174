// What a compiled FHIRPath expression carries along while it runs.
import { Fault } from '../../fault.ts';
import { type Collection, collectionOf, type TypedValue } from './typed-value.ts';

/**
 * The surroundings of an evaluation. Any other name is an environment variable: `{ patient }` is `%patient`; its value
 * may be a resource, a scalar, a TypedValue, or an array of them.
 */
export interface Environment {
  /** `%resource`: the resource that contains the root; the root itself when absent. */
  readonly resource?: unknown;
  /** `%rootResource`: the container of a contained resource; `%resource` when absent. */
  readonly rootResource?: unknown;
  /** `%context`: the root when absent. */
  readonly context?: unknown;
  /** Answers a reference with a resource when the caller has it; undefined leaves it at the type the text tells. */
  readonly resolve?: (reference: string) => object | undefined;
  /** Whether a value is in a value set; undefined when unknown. Without it `memberOf` is empty. */
  readonly memberOf?: (value: TypedValue, valueSet: string) => boolean | undefined;
  /** Whether a value conforms to a profile; undefined when unknown. */
  readonly conformsTo?: (value: TypedValue, profile: string) => boolean | undefined;
  /** Points of an answer; without it `weight()` is empty. */
  readonly weightOf?: (value: TypedValue) => number | undefined;
  /** The moment that `now()` and `today()` answer; without it they cannot be used. */
  readonly now?: Temporal.Instant;
  /** IANA zone for `today()` and `now()`; UTC when absent. */
  readonly zone?: string;
  readonly [variable: string]: unknown;
}

/** One evaluation from root to result. */
export interface Run {
  readonly env: Environment;
  readonly root: TypedValue;
  /** Results of parts that depend only on the environment, by the slot the compiler gave them. */
  readonly memo: (Collection | undefined)[];
  /** Set when two dates could not be ordered because one is less precise. */
  uncertain: boolean;
}

/** The innermost `$this`, `$index` and `$total`. */
export interface Frame {
  readonly run: Run;
  readonly self: Collection;
  readonly index: number;
  readonly total: Collection;
}

/** A compiled expression: `focus` is what stands before the dot. */
export type Evaluate = (frame: Frame, focus: Collection) => Collection;

/** More than any resource holds; each step of a short expression can multiply what the one before it made. */
const MOST_ITEMS = 1_000_000;
/** Characters of a text that an expression puts together. */
const MOST_TEXT = 1_000_000;

/** @throws Fault unprocessable (`too-costly`) */
export function refuseTooMany(count: number): void {
  if (count > MOST_ITEMS) throw tooCostly(`more than ${MOST_ITEMS} values`);
}

/** @throws Fault unprocessable (`too-costly`) */
export function refuseTooLarge(items: Collection): Collection {
  refuseTooMany(items.length);
  const value = items.length === 1 ? items[0]?.value : undefined;
  if (typeof value === 'string' && value.length > MOST_TEXT)
    throw tooCostly(`a text of more than ${MOST_TEXT} characters`);
  return items;
}

const tooCostly = (what: string) =>
  new Fault('unprocessable', `FHIRPath: the expression makes ${what}.`, { code: 'too-costly' });

/** The only item, or undefined when there is none. @throws Fault when there are more */
export function single(items: Collection, what: string): TypedValue | undefined {
  if (items.length > 1) {
    throw new Fault('unprocessable', `FHIRPath: ${what} needs one value but there are ${items.length}.`);
  }
  return items[0];
}

/** Singleton evaluation of a boolean: any single non-boolean counts as true. https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections */
export function truth(items: Collection, what: string): boolean | undefined {
  const item = single(items, what);
  if (!item) return undefined;
  return typeof item.value === 'boolean' ? item.value : true;
}

const CONSTANTS: Readonly<Record<string, string>> = {
  ucum: 'http://unitsofmeasure.org',
  sct: 'http://snomed.info/sct',
  loinc: 'http://loinc.org',
};

/** How `%name` is read; constants are settled now. `name` comes without `%` and quotes. */
export function compileVariable(name: string): (run: Run) => Collection {
  const constant = Object.hasOwn(CONSTANTS, name) ? CONSTANTS[name] : quotedConstant(name);
  if (constant !== undefined) {
    const value: Collection = [{ type: 'string', value: constant }];
    return () => value;
  }
  switch (name) {
    case 'context':
      return ({ env, root }) => (env.context === undefined ? [root] : collectionOf(env.context));
    case 'resource':
      return ({ env, root }) => (env.resource === undefined ? [root] : collectionOf(env.resource));
    case 'rootResource':
      return ({ env, root }) => {
        const resource = env.rootResource ?? env.resource;
        return resource === undefined ? [root] : collectionOf(resource);
      };
    default:
      return ({ env }) => {
        if (Object.hasOwn(env, name)) return collectionOf(env[name]);
        throw new Fault('invalid', `FHIRPath: the variable %${name} is not known here.`);
      };
  }
}

/** %`vs-name` and %`ext-name`. https://hl7.org/fhir/R4/fhirpath.html#variables */
function quotedConstant(name: string): string | undefined {
  if (name.startsWith('vs-')) return `http://hl7.org/fhir/ValueSet/${name.slice(3)}`;
  if (name.startsWith('ext-')) return `http://hl7.org/fhir/StructureDefinition/${name.slice(4)}`;
  return undefined;
}
