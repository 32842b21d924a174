// FHIR's own keywords for ajv. Cheap ones answer at once; those that look beyond their element wait until the structure
// is known to be right, so that one mistake is not reported five times.

import type { ElementDefinitionConstraint } from '@medplum/fhirtypes';
import type { Ajv } from 'ajv';
import { Fault } from '../../fault.ts';
import type { Definitions } from '../definitions.ts';
import { bindingCheck } from './codes.ts';
import { wrongTarget } from './reference-targets.ts';
import { compileRules, type Rule } from './rules.ts';
import { compileShape, type JsonObject, type Place } from './shape.ts';
import { type Pending, report, type Visit } from './visit.ts';

export function addKeywords(ajv: Ajv, definitions: Definitions): void {
  ajv.addKeyword({ keyword: 'shape', type: 'object', errors: false, compile: compileShape });
  ajv.addKeyword({
    keyword: 'nested',
    errors: false,
    compile: () =>
      function (this: Visit, value: unknown, cxt?: Place) {
        this.nested.push({ resource: value, pointer: cxt?.instancePath ?? '' });
        return true;
      },
  });
  ajv.addKeyword({
    keyword: 'binding',
    errors: false,
    compile: (url: string) => waiting(checkBinding(definitions, url)),
  });
  ajv.addKeyword({
    keyword: 'extension',
    errors: false,
    compile: () =>
      function (this: Visit, value: unknown, cxt?: Place) {
        this.extensions.push({ value, pointer: cxt?.instancePath ?? '' });
        return true;
      },
  });
  ajv.addKeyword({ keyword: 'plainQuantity', errors: false, compile: () => waiting(checkPlainQuantity) });
  ajv.addKeyword({ keyword: 'targets', errors: false, compile: (types: string[]) => waiting(checkTargets(types)) });
  ajv.addKeyword({
    keyword: 'rules',
    errors: false,
    compile: ({ type, constraints }: { type: string; constraints: ElementDefinitionConstraint[] }) => {
      if (type === 'Reference') return waiting(checkLocalReference);
      const inherited = type.includes('.') ? new Set<string>() : inheritedKeys(definitions, type, constraints);
      return waiting(checkRules(compileRules(constraints, type, inherited), type));
    },
  });
}

/** An element's rules without those of its type, which the type's own schema brings. */
function inheritedKeys(
  definitions: Definitions,
  type: string,
  constraints: readonly ElementDefinitionConstraint[],
): ReadonlySet<string> {
  const own = definitions.structure(type)?.elements[0]?.constraint;
  return new Set(own === constraints ? [] : own?.map(({ key }) => key ?? ''));
}

type Check = Pending['check'];

function waiting(check: Check | undefined) {
  if (!check) return () => true;
  return function (this: Visit, value: unknown, cxt?: Place): boolean {
    const companion = typeof value === 'object' ? undefined : companionOf(cxt);
    this.pending.push({ check, value, pointer: cxt?.instancePath ?? '', companion });
    return true;
  };
}

function companionOf(cxt: Place): object | undefined {
  const companion = (cxt?.parentData as JsonObject | undefined)?.[`_${cxt?.parentDataProperty}`];
  return typeof companion === 'object' && companion !== null ? companion : undefined;
}

function checkBinding(definitions: Definitions, valueSet: string): Check | undefined {
  const check = bindingCheck(definitions, valueSet);
  return (
    check &&
    ((value, visit, pointer) => {
      const reason = check(value);
      if (reason !== undefined) report(visit, 'error', 'code-invalid', reason, pointer);
    })
  );
}

function checkTargets(types: readonly string[]): Check | undefined {
  if (types.includes('Resource')) return undefined;
  return (value, visit, pointer) => {
    const reason = wrongTarget(value, types, visit.contained);
    if (reason !== undefined) report(visit, 'error', 'value', reason, pointer);
  };
}

/** SimpleQuantity: a quantity that is known, not one that something is below or above. */
function checkPlainQuantity(value: unknown, visit: Visit, pointer: string): void {
  if ((value as { comparator?: unknown }).comparator === undefined) return;
  report(visit, 'error', 'invariant', 'A comparator is not allowed here. (sqty-1)', `${pointer}/comparator`);
}

/** ref-1, the one rule of Reference, without FHIRPath: there are many references, and it fails on those without text. */
function checkLocalReference(value: unknown, visit: Visit, pointer: string): void {
  const { reference } = value as { reference?: unknown };
  if (typeof reference !== 'string' || !reference.startsWith('#') || reference === '#') return;
  if (visit.contained.has(reference.slice(1))) return;
  report(visit, 'error', 'invariant', 'There is no contained resource with this id. (ref-1)', pointer);
}

function checkRules(rules: readonly Rule[], type: string): Check | undefined {
  if (rules.length === 0) return undefined;
  return (value, visit, pointer, companion) => {
    const focus = companion ? { type, value, element: companion } : { type, value };
    const env = visit.environment;
    for (const rule of rules) applyRule(rule, focus, env, visit, pointer);
  };
}

/** Reports a rule that is broken; one that cannot be evaluated on this resource is a warning, not a refusal. */
export function applyRule(
  rule: Rule,
  focus: Parameters<Rule['holds']>[0],
  env: Parameters<Rule['holds']>[1],
  visit: Visit,
  pointer: string,
): void {
  try {
    if (!rule.holds(focus, env)) report(visit, rule.severity, 'invariant', rule.text, pointer);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    report(visit, 'warning', 'processing', `The rule ${rule.key} could not be checked. ${error.message}`, pointer);
  }
}
