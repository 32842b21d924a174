// A panel: whom it is for, as a Group that is a definition (`actual` false). Its characteristics all have to hold; each has
// its rule in an extension. One file for each panel in profiles/groups.
import type { Extension, Group, GroupCharacteristic, Resource } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { CODE_SYSTEM, EXTENSION } from '../systems.ts';
import { type Rule, type RuleFacts, type RuleQuery, readQuery, readRule } from './rule.ts';
import type { ScoringMethod } from './scoring-method.ts';

export interface Panel {
  /** Code of CodeSystem panel, and the panel's id in the API. */
  readonly code: string;
  readonly title: string;
  /** Markdown, for whom and why. */
  readonly description?: string;
  readonly definition: Group;
  readonly queries: readonly RuleQuery[];
  readonly method?: ScoringMethod;
  readonly criteria: readonly Criterion[];
  /** Absent: who does not meet the criteria any more leaves. */
  readonly leave?: Rule;
}

export interface Criterion {
  readonly title: string;
  readonly rule: Rule;
  /** True: it must not hold. */
  readonly exclude: boolean;
}

/** Whether a patient belongs on a panel, and what says so. */
export interface Standing {
  readonly belongs: boolean;
  /** Empty when the patient does not belong. */
  readonly basis: readonly Resource[];
}

/**
 * @param isOn whether the patient is on the panel now
 * @throws Fault as rules do
 */
export function standingOn({ criteria, leave }: Panel, isOn: boolean, facts: RuleFacts): Standing {
  const meets = criteria.every(({ rule, exclude }) => rule.holds(facts) !== exclude);
  const belongs = meets || (isOn && leave !== undefined && !leave.holds(facts));
  if (!belongs) return { belongs, basis: [] };
  const met = criteria.filter(({ rule, exclude }) => !exclude && rule.holds(facts));
  return { belongs, basis: [...new Set(met.flatMap(({ rule }) => rule.basis(facts)))] };
}

/** @throws Fault unprocessable naming file and expression */
export function readPanel(file: string, definition: Group, methods: ReadonlyMap<string, ScoringMethod>): Panel {
  const refuse = (problem: string) => new Fault('unprocessable', `${file}: ${problem}`);
  const { name: title, type, actual, code: concept, extension = [], characteristic = [] } = definition;
  const code = concept?.coding?.find(({ system }) => system === CODE_SYSTEM.panel)?.code;
  if (type !== 'person' || actual !== false) throw refuse('a panel is a Group of type person with actual false.');
  if (!code || !/^[a-z][a-z0-9-]{0,63}$/.test(code)) throw refuse(`code must have a code of ${CODE_SYSTEM.panel}.`);
  if (!title) throw refuse('name is missing.');
  if (characteristic.length === 0) throw refuse('a panel needs a characteristic.');
  const named = extension.find(({ url }) => url === EXTENSION.panelMethod)?.valueCode;
  const method = named === undefined ? undefined : methods.get(named);
  if (named !== undefined && !method) throw refuse(`there is no scoring method ${named}.`);
  const queries = extension.filter(({ url }) => url === EXTENSION.panelData).map((one) => readData(file, one));
  const twice = [...queries, ...(method?.queries ?? [])].map((query) => query.name);
  const repeated = twice.find((name, index) => twice.indexOf(name) !== index);
  if (repeated !== undefined) throw refuse(`two queries are called ${repeated}.`);
  const names = [...twice, ...(method ? ['score', 'tier'] : [])];
  const leave = extension.find(({ url }) => url === EXTENSION.panelLeave)?.valueExpression;
  const description = extension.find(({ url }) => url === EXTENSION.panelDescription)?.valueMarkdown;
  return {
    ...{ code, title, definition, queries },
    ...(description === undefined ? {} : { description }),
    ...(method ? { method } : {}),
    criteria: characteristic.map((one) => readCriterion(file, one, names)),
    ...(leave ? { leave: readRule(fhirpathOf(leave), names, { file, what: 'leave' }) } : {}),
  };
}

function readData(file: string, { valueExpression }: Extension): RuleQuery {
  const { name, language, expression } = valueExpression ?? {};
  const isQuery = language === 'application/x-fhir-query';
  return readQuery(name, isQuery ? expression : undefined, { file });
}

function readCriterion(file: string, one: GroupCharacteristic, names: readonly string[]): Criterion {
  const title = one.code.text ?? one.code.coding?.[0]?.display ?? 'without a name';
  const expression = one.extension?.find(({ url }) => url === EXTENSION.panelCriterion)?.valueExpression;
  const place = { file, what: `characteristic "${title}"` };
  return { title, exclude: one.exclude, rule: readRule(fhirpathOf(expression), names, place) };
}

function fhirpathOf(expression: Extension['valueExpression']): string | undefined {
  return expression?.language === 'text/fhirpath' ? expression.expression : undefined;
}
