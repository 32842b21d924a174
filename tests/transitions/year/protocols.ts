// The protocols as a clinical lead reads them: the PlanDefinitions of profiles/, with another library's FHIRPath.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fhirpath from 'fhirpath';
import type { StepTiming } from './days.ts';

export interface Protocol {
  readonly url: string;
  readonly name: string;
  readonly precedence: number;
  readonly conditions: readonly string[];
  readonly steps: readonly Step[];
}

export interface Step {
  readonly id: string;
  readonly timing: StepTiming;
  readonly conditions: readonly string[];
}

/** What a condition may ask about. */
export interface Asked {
  readonly encounter: object;
  readonly patient: object;
  readonly conditions: readonly object[];
  readonly destination: string;
  readonly lace: number;
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
        conditions: conditionsOf(root),
        steps: steps.map((step) => ({ id: String(step.id), timing: timingOf(step), conditions: conditionsOf(step) })),
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
  };
}

function conditionsOf({ condition = [] }: Json): string[] {
  return (condition as { kind: string; expression: { expression: string } }[])
    .filter(({ kind }) => kind === 'applicability')
    .map(({ expression }) => expression.expression);
}

const answers = new Map<string, boolean>();

/** Every condition yields true and nothing else. */
export function applies({ conditions }: { readonly conditions: readonly string[] }, asked: Asked): boolean {
  return conditions.every((condition) => {
    const key = `${condition} ${JSON.stringify(asked)}`;
    const known = answers.get(key);
    if (known !== undefined) return known;
    const result = fhirpath.evaluate(asked.encounter, condition, { ...asked }) as unknown[];
    const answer = result.length === 1 && result[0] === true;
    answers.set(key, answer);
    return answer;
  });
}
