// Risk scores as data: one JSON file for each method in profiles/risk-methods says what is asked, how many points an answer
// gives and what the sum means. Another variant of a score is another file with another code.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { TSchema } from 'typebox';
import Type, { type Static } from 'typebox';
import { Fault } from '../../fault.ts';

const Text = Type.String({ minLength: 1 });
const Code = Type.String({ pattern: '^[a-z][a-z0-9-]{0,63}$' });
const closed = <Members extends Record<string, TSchema>>(members: Members) =>
  Type.Object(members, { additionalProperties: false });

/** The step with the highest `from` that a value reaches gives the points; the first one is at 0. */
const Steps = Type.Array(closed({ from: Type.Number({ minimum: 0 }), points: Type.Integer() }), { minItems: 1 });
const shared = { code: Code, letter: Text, steps: Steps };

const Component = Type.Union([
  /** Calendar nights. */
  closed({ ...shared, input: Type.Literal('length-of-stay') }),
  /** 1 for an unplanned admission (ValueSet acute-admission). */
  closed({ ...shared, input: Type.Literal('acuity') }),
  /** Sum of the weights of CodeSystem lace-comorbidity. */
  closed({ ...shared, input: Type.Literal('comorbidity') }),
  /** 1 when the patient has one of these comorbidities of CodeSystem lace-comorbidity. */
  closed({ ...shared, input: Type.Literal('diagnosis'), comorbidities: Type.Array(Code, { minItems: 1 }) }),
  /** How many encounters of these classes began in the months before the admission and ended that long before it. */
  closed({
    ...shared,
    input: Type.Literal('earlier-encounters'),
    classes: Type.Array(Text, { minItems: 1 }),
    months: Type.Integer({ minimum: 1, maximum: 60 }),
    apartHours: Type.Integer({ minimum: 0 }),
  }),
  /** The last result of the stay, in the unit whose factor is 1. `codes` are `SYSTEM|CODE`. */
  closed({
    ...shared,
    input: Type.Literal('last-result'),
    name: Text,
    codes: Type.Array(Text, { minItems: 1 }),
    units: Type.Record(Type.String(), Type.Number({ exclusiveMinimum: 0 })),
  }),
  /** 1 when Encounter.serviceType has one of these codes. */
  closed({ ...shared, input: Type.Literal('service'), name: Text, codes: Type.Array(Text, { minItems: 1 }) }),
  /** How many procedures of the stay have a code of one of these systems. */
  closed({ ...shared, input: Type.Literal('procedures'), systems: Type.Array(Text, { minItems: 1 }) }),
]);
export type RiskComponent = Static<typeof Component>;
export type ComponentOf<Input extends RiskComponent['input']> = Extract<RiskComponent, { input: Input }>;

export const RISK_BANDS = ['negligible', 'low', 'moderate', 'high', 'certain'] as const;
/** Code of http://terminology.hl7.org/CodeSystem/risk-probability. */
export type RiskBand = (typeof RISK_BANDS)[number];

export const RiskMethodFile = closed({
  /** Of CodeSystem risk-method. */
  code: Code,
  version: Text,
  /** The one that `decides` is what protocols ask; `computed` is kept beside it; `off` is not used. */
  use: Type.Enum(['decides', 'computed', 'off']),
  short: Text,
  title: Text,
  outcome: Text,
  /** From the discharge on. */
  days: Type.Integer({ minimum: 1, maximum: 3_660 }),
  source: Text,
  components: Type.Array(Component, { minItems: 1 }),
  /** `percent`: how often it happened in the population the method was tried on. */
  bands: Type.Array(
    closed({
      from: Type.Integer(),
      risk: Type.Enum([...RISK_BANDS]),
      percent: Type.Optional(Type.Number({ minimum: 0, maximum: 100 })),
    }),
    { minItems: 1 },
  ),
});
export type RiskMethod = Static<typeof RiskMethodFile>;

const isMethod = new Ajv2020().compile<RiskMethod>(RiskMethodFile);

/**
 * Every method in a folder that is not off, the one that decides first.
 * @throws Fault unprocessable naming the file
 */
export function loadRiskMethods(folder: string): RiskMethod[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return readRiskMethods(files.sort().map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8'))));
}

/** @throws Fault unprocessable naming the method that makes no sense, or when not exactly one decides */
export function readRiskMethods(files: readonly unknown[]): RiskMethod[] {
  const methods = files.map(readMethod);
  const repeated = methods.find(({ code }, at) => methods.findIndex((other) => other.code === code) !== at);
  if (repeated) throw new Fault('unprocessable', `There are two risk methods "${repeated.code}".`);
  const used = methods.filter(({ use }) => use !== 'off');
  const deciding = used.filter(({ use }) => use === 'decides');
  if (deciding.length !== 1) {
    const found = deciding.map(({ code }) => code).join(', ') || 'none';
    throw new Fault('unprocessable', `Exactly one risk method must have "use": "decides"; found: ${found}.`);
  }
  return [...deciding, ...used.filter(({ use }) => use !== 'decides')];
}

function readMethod(file: unknown): RiskMethod {
  const code = (file as { code?: unknown } | null)?.code;
  const refuse = (reason: string) => new Fault('unprocessable', `Risk method ${JSON.stringify(code)}: ${reason}`);
  if (!isMethod(file)) {
    const [first] = isMethod.errors ?? [];
    throw refuse(`${first?.instancePath || '/'} ${first?.message ?? 'cannot be read'}.`);
  }
  const codes = file.components.map((component) => component.code);
  const twice = codes.find((one, at) => codes.indexOf(one) !== at);
  if (twice) throw refuse(`two components have the code ${twice}.`);
  const unordered = file.components.find(({ steps }) => steps[0]?.from !== 0 || !rises(steps));
  if (unordered) throw refuse(`the steps of ${unordered.code} must rise from 0.`);
  if (!rises(file.bands)) throw refuse('the bands must rise.');
  return file;
}

const rises = (steps: readonly { readonly from: number }[]) =>
  steps.every(({ from }, at) => at === 0 || from > (steps[at - 1]?.from ?? 0));

/** What is known of an input: a value, or between which values it lies. */
export interface Known {
  readonly low: number;
  readonly high: number;
}

export interface RiskScore {
  /** By code of the component. */
  readonly points: Readonly<Record<string, number>>;
  readonly total: number;
  readonly band: RiskBand;
  readonly percent?: number;
}

/** @param known by code of the component; what is absent gives no points */
export function scoreRisk(
  { components, bands }: RiskMethod,
  known: Readonly<Record<string, Known | undefined>>,
): RiskScore {
  const points = Object.fromEntries(components.map((one) => [one.code, pointsOf(one, known[one.code]) ?? 0]));
  const total = Object.values(points).reduce((sum, each) => sum + each, 0);
  const band = bands.findLast(({ from }) => total >= from) ?? bands[0];
  return {
    points,
    total,
    band: band?.risk ?? 'low',
    ...(band?.percent === undefined ? {} : { percent: band.percent }),
  };
}

/** Undefined when it is not known on which step the value is. */
export function pointsOf({ steps }: RiskComponent, known: Known | undefined): number | undefined {
  if (!known) return undefined;
  const at = (value: number) => steps.findLast(({ from }) => value >= from)?.points ?? 0;
  return at(known.low) === at(known.high) ? at(known.low) : undefined;
}
