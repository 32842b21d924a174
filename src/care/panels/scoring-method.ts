// Stratification as data: points for conditions that hold, and tiers of their sum. One JSON file for each method in
// profiles/stratification.
import type { Resource } from '@medplum/fhirtypes';
import type { TSchema } from 'typebox';
import Type, { type Static } from 'typebox';
import { type Rule, type RuleFacts, type RuleQuery, readQuery, readRule } from './rule.ts';

export const RISKS = ['negligible', 'low', 'moderate', 'high', 'certain'] as const;
/** Code of http://terminology.hl7.org/CodeSystem/risk-probability. */
export type Risk = (typeof RISKS)[number];

const Text = Type.String({ minLength: 1 });
const closed = <Members extends Record<string, TSchema>>(members: Members) =>
  Type.Object(members, { additionalProperties: false });

/** The file of a method. */
export const MethodFile = closed({
  code: Type.String({ pattern: '^[a-z][a-z0-9-]{0,63}$' }),
  version: Text,
  title: Text,
  /** What is predicted, in words. */
  outcome: Text,
  /** For how long a prediction is made, from the day of the assessment. */
  days: Type.Integer({ minimum: 1, maximum: 3_660 }),
  source: Text,
  data: Type.Array(closed({ name: Text, query: Text })),
  /** Whom it is for. */
  population: Text,
  points: Type.Array(
    closed({
      id: Type.String({ pattern: '^[a-z][a-z0-9-]{0,63}$' }),
      title: Text,
      points: Type.Integer({ minimum: -100, maximum: 100 }),
      when: Text,
      /** Whether what it asks for is known at all. Absent: it always is. */
      known: Type.Optional(Text),
    }),
    { minItems: 1 },
  ),
  /** The highest `from` that the sum reaches. */
  tiers: Type.Array(closed({ risk: Type.Enum([...RISKS]), from: Type.Integer() }), { minItems: 1 }),
});
type MethodFile = Static<typeof MethodFile>;

export interface ScoringMethod extends Pick<MethodFile, 'code' | 'version' | 'title' | 'outcome' | 'days' | 'source'> {
  readonly queries: readonly RuleQuery[];
  /** Undefined when the method is not for the patient. @throws Fault as rules do */
  readonly score: (facts: RuleFacts) => Scored | undefined;
}

export interface Scored {
  readonly total: number;
  readonly tier: Risk;
  /** What gave points, in the order of the file. */
  readonly parts: readonly { readonly title: string; readonly points: number }[];
  /** What gave them, and what makes the patient one of those it is for. */
  readonly basis: readonly Resource[];
  /** Titles of what is not known and therefore gave none. */
  readonly missing: readonly string[];
}

/** @throws Fault unprocessable naming file and expression */
export function readMethod(file: string, content: MethodFile): ScoringMethod {
  const { code, version, title, outcome, days, source, data } = content;
  const queries = data.map(({ name, query }) => readQuery(name, query, { file }));
  const names = queries.map(({ name }) => name);
  const population = readRule(content.population, names, { file, what: 'population' });
  const points = content.points.map((part) => ({
    ...part,
    when: readRule(part.when, names, { file, what: `points ${part.id}` }),
    known: part.known === undefined ? undefined : readRule(part.known, names, { file, what: `known of ${part.id}` }),
  }));
  const tiers = [...content.tiers].sort((a, b) => b.from - a.from);
  const lowest = tiers[tiers.length - 1]?.risk ?? 'low';
  function score(facts: RuleFacts): Scored | undefined {
    if (!population.holds(facts)) return undefined;
    const given = points.filter(({ when }) => when.holds(facts));
    const total = given.reduce((sum, part) => sum + part.points, 0);
    return {
      total,
      tier: tiers.find(({ from }) => total >= from)?.risk ?? lowest,
      parts: given.map((part) => ({ title: part.title, points: part.points })),
      basis: union([population, ...given.map(({ when }) => when)], facts),
      missing: points.filter(({ known }) => known && !known.holds(facts)).map((part) => part.title),
    };
  }
  return { code, version, title, outcome, days, source, queries, score };
}

const union = (rules: readonly Rule[], facts: RuleFacts) => [...new Set(rules.flatMap((rule) => rule.basis(facts)))];
