// A rule of a panel or of a scoring method: FHIRPath over the patient and over what its queries found. Checked when it is
// read, so that a mistake stops the start and not a patient's turn.
import type { Patient, Resource } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { compilePath } from '../../fhir/fhirpath/compile.ts';
import type { Environment } from '../../fhir/fhirpath/evaluation.ts';

/** What rules are asked about. Data are lists of resources by the name of their query. */
export interface RuleFacts {
  readonly patient: Patient;
  readonly now: Temporal.Instant;
  /** IANA time zone in which days begin and end. */
  readonly zone: string;
  readonly data: Readonly<Record<string, readonly Resource[]>>;
  /** Of the scoring method, in rules of a panel that has one and whose patient it is for. */
  readonly score?: number;
  readonly tier?: string;
}

/** It holds when it says true or finds resources. */
export interface Rule {
  /** @throws Fault when the patient's data are such that the rule has no answer */
  readonly holds: (facts: RuleFacts) => boolean;
  /** The resources it finds; where it says only true, all that it speaks of. */
  readonly basis: (facts: RuleFacts) => Resource[];
}

/** A query of which `{{…}}` is FHIRPath over the patient. */
export interface RuleQuery {
  readonly name: string;
  readonly file: string;
  readonly type: string;
  /** The search for one patient, e.g. `Observation?patient=Patient/1&…`. */
  readonly search: (facts: Pick<RuleFacts, 'patient' | 'now' | 'zone'>) => string;
  /** Most resources that are read; all when absent. */
  readonly most?: number;
}

/** Where a rule stands, for the sentence that refuses it. */
export interface Place {
  readonly file: string;
  readonly what: string;
}

const VARIABLE = /%(?:`[^`]+`|'[^']+'|[A-Za-z_]\w*)/g;
/** What every rule may name beside its data. */
const GIVEN = ['%patient', '%context', '%resource', '%rootResource', '%ucum', '%sct', '%loinc'];

/** @param names of the data, and `score` and `tier` where a method gives them */
export function readRule(expression: unknown, names: readonly string[], place: Place): Rule {
  if (typeof expression !== 'string' || expression.trim() === '') throw wrong(place, '', 'is missing');
  const used = variablesIn(expression, place);
  const unknown = used.find((name) => !names.includes(name));
  if (unknown !== undefined) throw wrong(place, expression, `names %${unknown}, which no query gives`);
  const evaluate = compiled(expression, place);
  const ask = (facts: RuleFacts) => {
    const items = evaluate(facts.patient, environment(names, facts));
    const resources = items.flatMap(({ value }) => (isResource(value) ? [value] : []));
    return { resources, isTrue: items.length === 1 && items[0]?.value === true };
  };
  tryOut(() => ask(NOBODY), expression, place);
  return {
    holds(facts) {
      const { resources, isTrue } = ask(facts);
      return isTrue || resources.length > 0;
    },
    basis(facts) {
      const { resources } = ask(facts);
      const spokenOf = resources.length > 0 ? resources : used.flatMap((name) => facts.data[name] ?? []);
      return [...new Set(spokenOf)];
    },
  };
}

function isResource(value: unknown): value is Resource {
  return typeof value === 'object' && value !== null && 'resourceType' in value;
}

/** @param query `Type?patient={{%patient.id}}&…`; `_count` bounds what is read */
export function readQuery(name: unknown, query: unknown, { file }: Pick<Place, 'file'>): RuleQuery {
  const place = { file, what: `query ${String(name)}` };
  if (typeof name !== 'string' || !/^[a-z][A-Za-z0-9]*$/.test(name))
    throw wrong(place, '', 'needs a name in camelCase');
  if (name === 'score' || name === 'tier' || name === 'patient') throw wrong(place, '', `may not be called ${name}`);
  if (typeof query !== 'string') throw wrong(place, '', 'is missing');
  const type = /^([A-Z][A-Za-z]+)\?/.exec(query)?.[1];
  const parts = query.split(/\{\{(.*?)\}\}/s);
  const isAboutPatient = /[?&](?:patient|subject|beneficiary|for)=(?:Patient\/)?\{\{\s*%patient\.id\s*\}\}(?:&|$)/.test(
    query,
  );
  if (type === undefined || !isAboutPatient) throw wrong(place, query, 'must be Type?patient={{%patient.id}}&…');
  const pieces = parts.map((text, index) => (index % 2 === 0 ? text : inBraces(text.trim(), place)));
  const most = Number(/[?&]_count=(\d+)/.exec(query)?.[1] ?? 0);
  return {
    name,
    file,
    type,
    search: ({ patient, now, zone }) =>
      pieces
        .map((piece) => (typeof piece === 'string' ? piece : piece(patient, { patient, now, zone })))
        .join('')
        .replace(/&_count=\d+/, ''),
    ...(most > 0 ? { most } : {}),
  };
}

function inBraces(expression: string, place: Place): (patient: Patient, env: Environment) => string {
  const evaluate = compiled(expression, place);
  const text = (patient: Patient, env: Environment) =>
    evaluate(patient, env)
      .map(({ value }) => encodeURIComponent(String(value)))
      .join(',');
  tryOut(() => text(NOBODY.patient, { ...NOBODY }), expression, place);
  return text;
}

function environment(names: readonly string[], { patient, now, zone, data, score, tier }: RuleFacts): Environment {
  const found = Object.values(data).flat();
  const resolve = (reference: string) =>
    found.find(({ resourceType, id }) => `${resourceType}/${id}` === reference) ?? undefined;
  const empty = Object.fromEntries(names.map((name) => [name, []]));
  return { ...empty, ...data, ...{ patient, now, zone, resolve }, score: score ?? [], tier: tier ?? [] };
}

function variablesIn(expression: string, place: Place): string[] {
  const named = [...expression.matchAll(VARIABLE)].map(([text]) => text);
  const others = named.filter((text) => !GIVEN.includes(text) && !/^%[`']/.test(text));
  if (named.some((text) => /^%[`'](?!vs-|ext-)/.test(text))) throw wrong(place, expression, 'has a quoted variable');
  return [...new Set(others.map((text) => text.slice(1)))];
}

const NOBODY: RuleFacts = {
  patient: { resourceType: 'Patient', id: 'nobody', birthDate: '1950-01-01' },
  now: Temporal.Instant.fromEpochMilliseconds(0),
  zone: 'UTC',
  data: {},
};

function compiled(expression: string, place: Place) {
  return tryOut(() => compilePath(expression, 'Patient'), expression, place);
}

function tryOut<T>(attempt: () => T, expression: string, place: Place): T {
  try {
    return attempt();
  } catch (cause) {
    throw wrong(place, expression, 'cannot be used', cause);
  }
}

function wrong({ file, what }: Place, expression: string, problem: string, cause?: unknown): Fault {
  const quoted = expression === '' ? '' : `: ${expression}`;
  const because = cause instanceof Error ? ` (${cause.message})` : '';
  return new Fault('unprocessable', `${file}: ${what} ${problem}${quoted}${because}`, { cause });
}
