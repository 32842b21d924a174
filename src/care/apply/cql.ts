// CQL that a Library brings as compiled ELM, run over what the caller may see of one patient. The engine is loaded when
// the first pathway needs it. https://cql.hl7.org/elm.html
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Library, Patient, Resource, ResourceType } from '@medplum/fhirtypes';
import { asFault, Fault } from '../../fault.ts';
import { type Collection, collectionOf } from '../../fhir/fhirpath/typed-value.ts';
import { withinTime } from '../../fhir/fhirpath/within-time.ts';
import type { Records } from '../records.ts';
import type { Lookup } from './definition-source.ts';
import type { Facts } from './expression.ts';
import { type Place, refusal } from './refusal.ts';

const ELM = 'application/elm+json';

/** Expressions that one library may evaluate for one patient; a second or two. */
const MOST_STEPS = 500_000;
/** One evaluation of these has no bound: backtracking, or a list as long as an interval is wide. */
const ENDLESS = new Set(['Matches', 'ReplaceMatches', 'SplitOnMatches', 'Expand']);

/** Functions that call one another, one inside the other. */
const DEEPEST = 100;

const spent = new AsyncLocalStorage<{ readonly left: { steps: number }; readonly depth: number }>();

interface Elm {
  readonly library: {
    readonly identifier?: { readonly id?: string; readonly version?: string };
    readonly includes?: { readonly def?: readonly { readonly path?: string; readonly localIdentifier?: string }[] };
  };
}

interface CqlRun {
  readonly libraries: ReadonlySet<string>;
  readonly lookup: Lookup;
  readonly patient: Patient;
  readonly records: Records;
  readonly now: Temporal.Instant;
  readonly pathway: string;
}

/**
 * Evaluates all definitions of the libraries that a pathway uses.
 * @throws Fault unprocessable when a library is missing, brings no ELM, or cannot be evaluated
 */
export async function runCql(run: CqlRun): Promise<Facts['cql']> {
  const results = new Map<string, ReadonlyMap<string, Collection>>();
  for (const canonical of run.libraries) results.set(canonical, await runLibrary(canonical, run));
  return (library, name) => results.get(library)?.get(name);
}

async function runLibrary(canonical: string, run: CqlRun): Promise<ReadonlyMap<string, Collection>> {
  const place: Place = { pathway: run.pathway, element: 'PlanDefinition.library' };
  const elms = elmsOf(canonical, run.lookup, place);
  const [main] = elms as [Elm, ...Elm[]];
  const missing = (main.library.includes?.def ?? []).find(({ path }) => !elms.some((elm) => idOf(elm) === path));
  if (missing) {
    throw refusal(place, `the library ${canonical} includes ${missing.path}, which none of its dependencies brings.`);
  }
  const endless = withinTime(() => elms.flatMap(operatorsIn).find((type) => ENDLESS.has(type)));
  if (endless) throw refusal(place, `the library ${canonical} uses ${endless}, which is not evaluated here.`);
  const resources = await readFor(elms, run);
  const [{ default: cql }, fhir] = await Promise.all([import('cql-execution'), import('cql-exec-fhir')]);
  countSteps(cql.Expression.prototype as unknown as Steps);
  const source = (fhir.PatientSource ?? (fhir as unknown as { default: typeof fhir }).default.PatientSource).FHIRv401();
  source.loadBundles([
    { resourceType: 'Bundle', entry: [run.patient, ...resources].map((resource) => ({ resource })) },
  ]);
  try {
    const library = new cql.Library(main, new cql.Repository(elms));
    const at = cql.DateTime.parse(run.now.toString({ fractionalSecondDigits: 3 }));
    const executor = new cql.Executor(library);
    const { patientResults } = await spent.run({ left: { steps: MOST_STEPS }, depth: 0 }, () =>
      executor.exec(source, at ?? undefined),
    );
    const found: Record<string, unknown> = patientResults[run.patient.id ?? ''] ?? {};
    return new Map(Object.entries(found).map(([name, value]) => [name, collectionOf(plain(value))]));
  } catch (error) {
    // Messages of the engine may quote data.
    throw refusal(place, `the library ${canonical} could not be evaluated.`, asFault(error));
  }
}

interface Steps {
  execute(context: unknown): Promise<unknown>;
  isCounted?: boolean;
}

/** The engine itself knows no end: functions call themselves, and queries multiply their sources. */
function countSteps(expressions: Steps): void {
  if (expressions.isCounted) return;
  expressions.isCounted = true;
  const { execute } = expressions;
  expressions.execute = function counted(context) {
    const now = spent.getStore();
    if (!now) return execute.call(this, context);
    if (--now.left.steps < 0 || now.depth > DEEPEST) {
      throw new Fault('unprocessable', 'The library takes too long.', { code: 'too-costly' });
    }
    if (this.constructor.name !== 'FunctionRef') return execute.call(this, context);
    return spent.run({ ...now, depth: now.depth + 1 }, () => execute.call(this, context));
  };
}

function operatorsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(operatorsIn);
  if (typeof value !== 'object' || value === null) return [];
  const { type } = value as { type?: unknown };
  return [...(typeof type === 'string' ? [type] : []), ...Object.values(value).flatMap(operatorsIn)];
}

/** The library's ELM first, then that of all it depends on. */
function elmsOf(canonical: string, lookup: Lookup, place: Place, seen = new Set<string>()): Elm[] {
  if (seen.has(canonical)) return [];
  seen.add(canonical);
  const library = lookup.find('Library', canonical);
  if (!library) throw refusal(place, `there is no library ${canonical}.`);
  const needed = library.relatedArtifact?.filter(({ type }) => type === 'depends-on') ?? [];
  const canonicals = needed.flatMap(({ resource }) => resource ?? []).filter((one) => lookup.find('Library', one));
  return [elmOf(library, canonical, place), ...canonicals.flatMap((one) => elmsOf(one, lookup, place, seen))];
}

function elmOf(library: Library, canonical: string, place: Place): Elm {
  const data = library.content?.find(({ contentType }) => contentType === ELM)?.data;
  if (data === undefined) throw refusal(place, `the library ${canonical} brings no ${ELM}; compile its CQL.`);
  try {
    const elm = JSON.parse(Buffer.from(data, 'base64').toString('utf8')) as Elm;
    if (typeof elm.library === 'object') return elm;
  } catch (error) {
    throw refusal(place, `the ELM of ${canonical} is not JSON.`, error);
  }
  throw refusal(place, `the ELM of ${canonical} has no library.`);
}

const idOf = ({ library }: Elm) => library.identifier?.id;

/** Everything of the patient's that the ELM retrieves. */
async function readFor(elms: readonly Elm[], { records, patient }: CqlRun): Promise<Resource[]> {
  const types = new Set(elms.flatMap((elm) => retrieved(elm)));
  types.delete('Patient');
  const found: Resource[] = [];
  for (const type of types) found.push(...(await records.find(type as ResourceType, { patient: patient.id ?? '' })));
  return found;
}

function retrieved(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(retrieved);
  if (typeof value !== 'object' || value === null) return [];
  const { type, dataType } = value as { type?: unknown; dataType?: unknown };
  const own = type === 'Retrieve' && typeof dataType === 'string' ? [dataType.replace(/^\{.*\}/, '')] : [];
  return [...own, ...Object.values(value).flatMap(retrieved)];
}

/** What the engine computed as JSON (its FHIR objects keep theirs in `_json`): quantities, codes and dates as FHIR writes them. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value ?? undefined;
  const object = value as Record<string, unknown>;
  if (typeof object._json === 'object') return object._json;
  if (object.isDateTime || object.isDate) return { type: object.isDate ? 'date' : 'dateTime', value: String(value) };
  if (object.isQuantity) return { type: 'Quantity', value: quantityOf(object) };
  if (object.isCode) return { type: 'Coding', value: { system: object.system, code: object.code } };
  return { type: 'object', value: object };
}

function quantityOf({ value, unit }: Record<string, unknown>) {
  return { value, ...(unit ? { unit, system: 'http://unitsofmeasure.org', code: unit } : {}) };
}
