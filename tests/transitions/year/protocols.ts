// The protocols as a clinical lead reads them: the PlanDefinitions of profiles/, with another library's FHIRPath.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fhirpath from 'fhirpath';
import type { Rung, Span, StepLife, StepTiming } from './days.ts';

export interface Protocol {
  readonly url: string;
  readonly name: string;
  readonly precedence: number;
  /** For visits of the emergency department, and for nothing else. */
  readonly forEmergency: boolean;
  readonly conditions: readonly string[];
  readonly steps: readonly Step[];
}

export interface Step {
  readonly id: string;
  /** What is done, by its ActivityDefinition. */
  readonly kind: string;
  readonly timing: StepTiming;
  readonly life: StepLife;
  readonly conditions: readonly string[];
}

/** What a condition may ask about, by the name of its variable. */
export interface Asked {
  readonly encounter: object;
  readonly [variable: string]: unknown;
}

interface Json {
  [element: string]: unknown;
}

const FOLDER = new URL('../../../profiles', import.meta.url).pathname;
const readAll = (folder: string): Json[] =>
  readdirSync(join(FOLDER, folder)).map((file) => JSON.parse(readFileSync(join(FOLDER, folder, file), 'utf8')));

/** Those about transitions of care, the first choice first. */
export function readShippedProtocols(): Protocol[] {
  const orders = new Set(
    readAll('activity-definitions').flatMap(({ kind, url }) => (kind === 'Task' ? [] : [String(url)])),
  );
  return readAll('plan-definitions')
    .filter(({ status, topic }) => status === 'active' && JSON.stringify(topic ?? '').includes('transition-of-care'))
    .map((definition): Protocol => {
      const [root = {}] = definition.action as Json[];
      const steps = (root.action as Json[]).filter(
        ({ definitionCanonical }) => !orders.has(String(definitionCanonical)),
      );
      return {
        url: String(definition.url),
        name: String(definition.id),
        precedence: Number(partOf(definition, 'protocol-precedence')?.valueInteger ?? 50),
        forEmergency: JSON.stringify(definition.useContext ?? '').includes('"EMER"'),
        conditions: conditionsOf(root),
        steps: steps.map((step) => ({
          id: String(step.id),
          kind: String(step.definitionCanonical),
          timing: timingOf(step),
          life: lifeOf(step, root),
          conditions: conditionsOf(step),
        })),
      };
    })
    .toSorted((a, b) => a.precedence - b.precedence || (a.url < b.url ? -1 : 1));
}

const partOf = (element: Json, name: string) =>
  (element.extension as Json[] | undefined)?.find(({ url }) => String(url).split('/').at(-1) === name);

function timingOf(step: Json): StepTiming {
  const extension = partOf(step, 'follow-up-timing') ?? {};
  const part = (name: string) => partOf(extension, name);
  const { value } = step.timingDuration as { value: number };
  return {
    count: part('count')?.valueCode as StepTiming['count'],
    opens: Number(part('opens')?.valueInteger),
    due: value,
    ...(part('from') ? { from: String(part('from')?.valueTime) } : {}),
    ...(part('until') ? { until: String(part('until')?.valueTime) } : {}),
    roll: part('roll')?.valueCode === 'next-business-day',
    ...(part('late') ? { late: String(part('late')?.valueCode) } : {}),
  };
}

/** Who is told in turn where the protocol does not say (docs/transitions.md). */
const LADDER: readonly Rung[] = [
  { who: 'owner', after: { value: 0, unit: 'h' } },
  { who: 'backup', after: { value: 1, unit: 'd' }, at: '09:00:00' },
  { who: 'supervisor', after: { value: 1, unit: 'd' }, at: '13:00:00' },
];

/** A step's own word, else the protocol's. */
function lifeOf(step: Json, root: Json): StepLife {
  const said = (name: string) => {
    const [own, general] = [step, root].map((element) =>
      ((partOf(element, 'follow-up-life')?.extension ?? []) as Json[]).filter(({ url }) => url === name),
    ) as [Json[], Json[]];
    return own.length > 0 ? own : general;
  };
  const span = (part: Json | undefined): Span | undefined => {
    const { value, code } = (part?.valueDuration ?? {}) as { value: number; code: Span['unit'] };
    return part ? { value, unit: code } : undefined;
  };
  const [remind, expires] = [span(said('remind')[0]), span(said('expires')[0])];
  const rungs = said('rung').map((rung): Rung => {
    const at = partOf(rung, 'at')?.valueTime;
    return {
      who: String(partOf(rung, 'who')?.valueCode),
      after: span(partOf(rung, 'after')) as Span,
      ...(at ? { at: String(at) } : {}),
    };
  });
  return { ...(remind ? { remind } : {}), ...(expires ? { expires } : {}), ladder: rungs.length > 0 ? rungs : LADDER };
}

function conditionsOf({ condition = [] }: Json): string[] {
  return (condition as { kind: string; expression: { expression: string } }[])
    .filter(({ kind }) => kind === 'applicability')
    .map(({ expression }) => expression.expression);
}

const answers = new Map<string, boolean>();
const compiled = new Map<string, ReturnType<typeof fhirpath.compile>>();

/** Every condition yields true and nothing else. */
export function applies({ conditions }: { readonly conditions: readonly string[] }, asked: Asked): boolean {
  return conditions.every((condition) => {
    const key = `${condition} ${JSON.stringify(asked)}`;
    const known = answers.get(key);
    if (known !== undefined) return known;
    const evaluate = compiled.get(condition) ?? fhirpath.compile(condition);
    compiled.set(condition, evaluate);
    const result = evaluate(asked.encounter, { ...asked }) as unknown[];
    const answer = result.length === 1 && result[0] === true;
    answers.set(key, answer);
    return answer;
  });
}
