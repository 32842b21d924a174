// Validation of resources against FHIR R4 and installed profiles. https://hl7.org/fhir/R4/validation.html
import type { OperationOutcomeIssue } from '@medplum/fhirtypes';
import { Ajv, type ValidateFunction } from 'ajv';
import type { Definitions } from '../definitions.ts';
import { createAdviser } from './advice/adviser.ts';
import { checkContainedIds } from './contained-references.ts';
import { createExtensionChecker } from './extension/extension-checker.ts';
import { firstLook, isLarge } from './guard.ts';
import { isError, issueOf, limited, shown } from './issue.ts';
import { typeNameOf } from './json-type.ts';
import { addKeywords } from './keywords.ts';
import { toExpression } from './location.ts';
import { FORMATS } from './primitives.ts';
import { createProfileChecker } from './profile/profile-checker.ts';
import { schemaId, typeSchemas } from './schema.ts';
import { translate } from './translate.ts';
import { createVisit, type Visit } from './visit.ts';

export interface Validator {
  /**
   * All that is wrong with a resource; no errors means that it conforms to its base type, to the installed profiles it
   * claims in `meta.profile`, and to `profiles`. Never throws, whatever it is given.
   * @param profiles canonical URLs to check besides those that the resource claims
   */
  validate(resource: unknown, profiles?: readonly string[], options?: ValidateOptions): OperationOutcomeIssue[];
  /**
   * Compiles now what the first resource that claims the profile would wait for: a tenth of a second for a large type.
   * @param profile its canonical URL, or a type
   */
  prepare(profile: string): void;
}

export interface ValidateOptions {
  /** Also what is not wrong but worth knowing: extensible bindings, displays, unknown extensions, best practice. */
  readonly advice?: boolean;
}

/** Types are compiled when first met, profiles when first claimed. */
export function createValidator(definitions: Definitions): Validator {
  const types = new Set(definitions.resourceTypes);
  const findingAll = compiler(definitions, { allErrors: true });
  const findingFirst = compiler(definitions, { allErrors: false });
  const { checkProfiles, checkProfile, compile } = createProfileChecker(definitions);
  const checkExtensions = createExtensionChecker(definitions, checkProfile);
  const advise = createAdviser(definitions);

  function visitResource(
    resource: unknown,
    { place, container, profiles, large, advice }: Setting,
  ): OperationOutcomeIssue[] {
    const type = typeOf(resource, types, place);
    if (typeof type !== 'string') return [type];
    const object = resource as object;
    const visit = createVisit(type, object, place ?? type, container, advice);
    const validate = (large && isLarge(object) ? findingFirst : findingAll)(type);
    if (!validate.call(visit, object)) translate(validate.errors ?? [], visit);
    if (!visit.issues.some(isError)) {
      for (const { check, value, pointer, companion } of visit.pending) check(value, visit, pointer, companion);
      checkProfiles(visit, profiles);
      checkExtensions(visit);
      checkContainedIds(visit);
      if (advice) advise(visit);
    }
    for (const issue of nestedIssues(visit, large)) visit.issues.push(issue);
    return visit.issues;
  }

  function nestedIssues(visit: Visit, large: boolean): OperationOutcomeIssue[] {
    return visit.nested.flatMap(({ resource, pointer }) => {
      const place = toExpression(pointer, visit.type, visit.prefix);
      const container = pointer.startsWith('/contained/') ? visit : undefined;
      return visitResource(resource, { place, container, profiles: [], large, advice: visit.advice });
    });
  }

  return {
    validate(resource, profiles = [], { advice = false } = {}) {
      const named = (resource as { resourceType?: unknown } | null | undefined)?.resourceType;
      const { danger, large } = firstLook(resource, typeof named === 'string' && types.has(named) ? named : 'Resource');
      return danger ? [danger] : limited(visitResource(resource, { profiles, large, advice }));
    },
    prepare(profile) {
      const structure = definitions.structure(profile);
      if (!structure || !types.has(structure.type)) return;
      findingAll(structure.type);
      if (structure.derivation === 'constraint') compile(structure);
    },
  };
}

/** Where a resource is met: by itself, or at a place in another one. */
interface Setting {
  readonly place?: string;
  /** The visit of the resource that contains it (`contained`), which local references look into. */
  readonly container?: Visit | undefined;
  readonly profiles: readonly string[];
  /** Whether the whole of what was given is large. */
  readonly large: boolean;
  readonly advice: boolean;
}

/** The resource's type, or the issue that says why it has none. */
function typeOf(resource: unknown, types: ReadonlySet<string>, place = 'Resource'): string | OperationOutcomeIssue {
  if (typeof resource !== 'object' || resource === null || Array.isArray(resource)) {
    return issueOf('error', 'structure', `A resource must be a JSON object, not ${typeNameOf(resource)}.`, place);
  }
  const { resourceType } = resource as { resourceType?: unknown };
  if (resourceType === undefined) {
    return issueOf('error', 'structure', 'A resource must have a resourceType.', `${place}.resourceType`);
  }
  if (typeof resourceType === 'string' && types.has(resourceType)) return resourceType;
  return issueOf(
    'error',
    'structure',
    `${shown(resourceType)} is not a resource type of FHIR R4.`,
    `${place}.resourceType`,
  );
}

/**
 * Compiled schemas, each type with the types it uses when first asked for.
 * @param allErrors ajv joins lists of errors in quadratic time, so large resources stop at the first
 */
function compiler(definitions: Definitions, { allErrors }: { allErrors: boolean }): (type: string) => ValidateFunction {
  const ajv = new Ajv({
    strict: true,
    allowUnionTypes: true,
    allErrors,
    verbose: true,
    passContext: true,
    inlineRefs: false,
    messages: false,
    logger: false,
    ownProperties: false,
    // They are made here, and strictness tells mistakes: to check them against the schema of schemas is a fifth of the time.
    validateSchema: false,
  });
  for (const [name, { accepts }] of Object.entries(FORMATS)) ajv.addFormat(name, { type: 'string', validate: accepts });
  addKeywords(ajv, definitions);
  const added = new Set<string>();

  function addType(type: string): void {
    if (added.has(type)) return;
    added.add(type);
    const structure = definitions.structure(type);
    if (!structure) throw new Error(`There is no definition of the type ${type}.`);
    const { schemas, uses } = typeSchemas(structure);
    for (const schema of schemas) ajv.addSchema(schema);
    for (const used of uses) addType(used);
  }

  const ready = new Map<string, ValidateFunction>();
  return (type) => {
    const known = ready.get(type);
    if (known) return known;
    addType(type);
    const validate = ajv.getSchema(schemaId(type)) as ValidateFunction;
    ready.set(type, validate);
    return validate;
  };
}
