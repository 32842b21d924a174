// What a form asks the record for before it is filled in: FHIR searches with FHIRPath in double braces, and the latest
// observation of each question that is linked to one. Everything is read as the caller, within what the caller may see.
// https://hl7.org/fhir/uv/sdc/expressions.html#fhirquery
import type { Bundle, Expression, Observation, Resource, ResourceType } from '@medplum/fhirtypes';
import { asFault, Fault } from '../../fault.ts';
import { isType } from '../../fhir/fhirpath/type-model.ts';
import { withinTime } from '../../fhir/fhirpath/within-time.ts';
import { isId, pairsOf } from '../../fhir/request-url.ts';
import { findReadable } from '../find-readable.ts';
import type { Records, SearchFor } from '../records.ts';
import { openSession, type Problem, type Surroundings } from './evaluate.ts';
import { EXT, expressionsOf, extensionOf } from './extensions.ts';
import type { Form, FormItem } from './form.ts';

export interface Fetched {
  readonly queries: ReadonlyMap<Expression, unknown>;
  /** linkId to the latest observation within the period of its question. */
  readonly observed: ReadonlyMap<string, Observation>;
  readonly problems: readonly Problem[];
}

const QUERY = 'application/x-fhir-query';
const PLACES = [EXT.variable, EXT.initialExpression, EXT.itemPopulationContext] as const;
const MOST_QUERIES = 50;

/** @param subject the patient, `Patient/1`, whose observations are looked for */
export async function fetchFor(
  form: Form,
  subject: string | undefined,
  surroundings: Surroundings,
  records: Records,
): Promise<Fetched> {
  const problems: Problem[] = [];
  const queries = new Map<Expression, unknown>();
  const asked = queriesOf(form);
  if (asked.length > MOST_QUERIES) {
    throw new Fault('unprocessable', `The Questionnaire asks the record more than ${MOST_QUERIES} questions.`, {
      code: 'too-costly',
      expression: 'Questionnaire',
    });
  }
  for (const { expression, path } of asked) {
    // Anew each time: a query may use what an earlier one found.
    const session = openSession(
      form,
      { resourceType: 'QuestionnaireResponse', status: 'in-progress' },
      {
        ...surroundings,
        fetched: queries,
      },
    );
    const ask = (inner: string) =>
      session.ask({ language: 'text/fhirpath', expression: inner }, undefined).flatMap(({ value }) => textOf(value));
    const text = withinTime(() => fillIn(expression.expression ?? '', ask));
    if (text === undefined) continue;
    try {
      const found = await runQuery(records, text);
      if (found) queries.set(expression, found);
    } catch (error) {
      problems.push({ path, text: `The record cannot be asked: ${asFault(error).message}` });
    }
  }
  const observed = subject === undefined ? new Map() : await findObservations(form, subject, surroundings, records);
  return { queries, observed, problems };
}

function queriesOf(form: Form): { expression: Expression; path: string }[] {
  const ofRoot = expressionsOf(form.questionnaire, EXT.variable).map((expression) => ({ expression, path: '' }));
  const ofItems = form.items.flatMap(({ definition, path }) =>
    PLACES.flatMap((url) => expressionsOf(definition, url)).map((expression) => ({ expression, path })),
  );
  return [...ofRoot, ...ofItems].filter(({ expression }) => expression.language === QUERY);
}

/** Undefined when something in braces is empty: the question would be about everybody. */
function fillIn(query: string, evaluate: (expression: string) => readonly string[]): string | undefined {
  let isWhole = true;
  const text = query.replace(/\{\{(.*?)\}\}/gs, (_, inner: string) => {
    const values = evaluate(inner.trim());
    if (values.length === 0) isWhole = false;
    return values.map(encodeURIComponent).join(',');
  });
  return isWhole ? text : undefined;
}

const textOf = (value: unknown) =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [String(value)] : [];

/** `Observation?…` as a Bundle, `Patient/1` as the resource. @throws Fault invalid for anything else */
async function runQuery(records: Records, text: string): Promise<Resource | undefined> {
  const [path = '', query] = text.split('?', 2);
  const [type = '', id, ...rest] = path.replace(/^\//, '').split('/');
  if (!isType(type) || rest.length > 0 || (query === undefined) === (id === undefined)) {
    throw new Fault('invalid', 'it must be Type?parameters or Type/id.');
  }
  if (id !== undefined) return isId(id) ? records.read(type as ResourceType, id) : undefined;
  const { search, count } = searchOf(query ?? '');
  const found = (await records.find(type as ResourceType, search)) as Resource[];
  const bundle: Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    total: found.length,
    entry: found.slice(0, count).map((resource) => ({ resource })),
  };
  return bundle;
}

function searchOf(query: string): { search: SearchFor; count: number } {
  const pairs = pairsOf(query);
  const search: Record<string, string[]> = {};
  let count = Number.POSITIVE_INFINITY;
  for (const [name, value] of pairs) {
    if (name === '_count') count = Number(value) || count;
    else if (name !== '_format') search[name] = [...(search[name] ?? []), value];
  }
  return { search, count };
}

const COUNTED = 'final,amended,corrected';

async function findObservations(form: Form, subject: string, { now, zone }: Surroundings, records: Records) {
  const linked = form.items.filter(({ definition }) => periodOf(definition) && definition.code?.length);
  const observed = new Map<string, Observation>();
  if (linked.length === 0) return observed;
  const tokens = linked.flatMap(({ definition }) => (definition.code ?? []).map(tokenOf));
  const search = { subject, status: COUNTED, code: [...new Set(tokens)].join(','), _sort: '-date' };
  const found = await findReadable(records, 'Observation', search);
  for (const { definition, linkId } of linked) {
    const since = sinceOf(definition, now, zone);
    const codes = new Set((definition.code ?? []).map(tokenOf));
    const latest = found.find(
      (one) => one.code.coding?.some((coding) => codes.has(tokenOf(coding))) && dayOf(one) >= since,
    );
    if (latest) observed.set(linkId, latest);
  }
  return observed;
}

const tokenOf = ({ system = '', code = '' }: { system?: string; code?: string }) => `${system}|${code}`;

function periodOf(definition: FormItem['definition']) {
  return extensionOf(definition, EXT.observationLinkPeriod)?.valueDuration;
}

const UNITS: Readonly<Record<string, 'years' | 'months' | 'weeks' | 'days' | 'hours'>> = {
  a: 'years',
  mo: 'months',
  wk: 'weeks',
  d: 'days',
  h: 'hours',
};

/** The first day that still counts; a unit that is not known lets everything count. */
function sinceOf(definition: FormItem['definition'], now: Temporal.Instant, zone: string): string {
  const { value = 0, code = '', unit = '' } = periodOf(definition) ?? {};
  const span = UNITS[code] ?? UNITS[unit];
  if (!span) return '';
  return now
    .toZonedDateTimeISO(zone)
    .subtract({ [span]: Math.floor(value) })
    .toPlainDate()
    .toString();
}

const dayOf = ({ effectiveDateTime, effectivePeriod, effectiveInstant, issued }: Observation) =>
  (effectiveDateTime ?? effectiveInstant ?? effectivePeriod?.end ?? effectivePeriod?.start ?? issued ?? '').slice(
    0,
    10,
  );
