// Where the patient was, is and is to go. Every event leaves its statement on the Encounter, and location[], classHistory
// and the expected end are made of all statements each time: so late, repeated and cancelled transfers end the same in
// whatever order they arrive.
import type {
  Coding,
  Encounter,
  EncounterClassHistory,
  EncounterLocation,
  Extension,
  Location,
  Reference,
} from '@medplum/fhirtypes';
import type { PlaceSaid } from '../triggers.ts';
import { comesBefore } from './comes-before.ts';
import { WHEREABOUTS } from './systems.ts';

/** The R5 element as an R4 extension. https://hl7.org/fhir/R5/versions.html#extensions */
export const PLANNED_END = 'http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter.plannedEndDate';

export interface Statement {
  /** When the event was recorded; puts statements in order. */
  readonly time: Temporal.Instant;
  readonly said: PlaceSaid | 'leaves';
  readonly place?: Reference<Location>;
  /** PV1-6: where the patient came from. */
  readonly from?: Reference<Location>;
  readonly class?: Coding;
  /** FHIR dateTime: since when the patient is there; of `leaves`, when the patient is expected to leave. */
  readonly at?: string;
}

type View = Pick<Encounter, 'extension' | 'location' | 'classHistory'>;

/** Of these only the newest says anything. */
const LATEST: readonly Statement['said'][] = ['seen', 'awaits', 'stays', 'leaves'];

export function toExtension({ time, said, place, from, class: code, at }: Statement): Extension {
  const parts: (Extension | undefined)[] = [
    { url: 'time', valueInstant: time.toString({ fractionalSecondDigits: 3 }) },
    { url: 'said', valueCode: said },
    place && { url: 'place', valueReference: place },
    from && { url: 'from', valueReference: from },
    code && { url: 'class', valueCoding: code },
    at === undefined ? undefined : { url: 'at', valueDateTime: at },
  ];
  return { url: WHEREABOUTS, extension: parts.filter((part) => part !== undefined) };
}

/** The encounter with the statements of both and what follows from all of them. */
export function joinWhereabouts(merged: Encounter, ...sources: readonly Encounter[]): Encounter {
  const statements = distinct(sources.flatMap(({ extension }) => statementsOf(extension)));
  if (statements.length === 0) return merged;
  const { location: _l, classHistory: _c, extension, ...rest } = merged;
  const others = (extension ?? []).filter(({ url }) => url !== WHEREABOUTS && url !== PLANNED_END);
  const view = viewOf(statements, merged);
  return { ...rest, ...view, extension: [...others, ...(view.extension ?? []), ...statements.map(toExtension)] };
}

/** Those that give way to a newer one of their kind. */
export function latestStatements(extension: readonly Extension[] = []): Extension[] {
  return extension.filter((one) => isLatest(saidIn(one)));
}

/** The extensions with more statements, those that have given way left out. */
export function withStatements(extension: readonly Extension[] = [], more: readonly Extension[]): Extension[] {
  const others = extension.filter(({ url }) => url !== WHEREABOUTS);
  return [...others, ...distinct([...statementsOf(extension), ...statementsOf(more)]).map(toExtension)];
}

function statementsOf(extension: readonly Extension[] = []): Statement[] {
  return extension.filter(({ url }) => url === WHEREABOUTS).map(readStatement);
}

/** Undefined for an extension that is no statement. */
function saidIn({ url, extension }: Extension): string | undefined {
  return url === WHEREABOUTS ? extension?.find((part) => part.url === 'said')?.valueCode : undefined;
}

const isLatest = (said: string | undefined) => LATEST.some((latest) => latest === said);

function readStatement({ extension = [] }: Extension): Statement {
  const part = (name: string) => extension.find(({ url }) => url === name);
  const [place, from] = [part('place')?.valueReference, part('from')?.valueReference];
  const [code, at] = [part('class')?.valueCoding, part('at')?.valueDateTime];
  return {
    time: Temporal.Instant.from(part('time')?.valueInstant ?? ''),
    said: part('said')?.valueCode as Statement['said'],
    ...(place ? { place: place as Reference<Location> } : {}),
    ...(from ? { from: from as Reference<Location> } : {}),
    ...(code ? { class: code } : {}),
    ...(at ? { at } : {}),
  };
}

/** In order, each once; of those that give way to the newest only that one. */
function distinct(all: readonly Statement[]): Statement[] {
  const byText = new Map(all.map((one) => [JSON.stringify(toExtension(one)), one]));
  const ordered = [...byText]
    .sort(([oneText, one], [otherText, other]) => {
      return Temporal.Instant.compare(one.time, other.time) || (oneText < otherText ? -1 : 1);
    })
    .map(([, statement]) => statement);
  const newest = LATEST.map((said) => ordered.findLast((one) => one.said === said));
  return ordered.filter((one) => newest.includes(one) || !LATEST.includes(one.said));
}

/**
 * The extensions without what alone is no change: where the patient was seen (`location` shows it when that is news), and
 * the times of statements that only repeat what is known.
 */
export function withoutTimes(extension: readonly Extension[] | undefined): Extension[] | undefined {
  return extension?.flatMap((one) => {
    const said = saidIn(one);
    if (said === 'seen') return [];
    if (!isLatest(said)) return [one];
    const keepsTime = said === 'leaves' ? ['at'] : [];
    const parts = one.extension?.filter(({ url }) => !['time', 'at'].includes(url) || keepsTime.includes(url)) ?? [];
    return [{ ...one, extension: parts }];
  });
}

interface Place {
  readonly place: Reference<Location>;
  readonly start?: string;
  readonly end?: string;
}

function viewOf(statements: readonly Statement[], { status, class: code, period }: Encounter): View {
  const places = placesOf(statements);
  const over = status === 'finished' || status === 'cancelled' || status === 'entered-in-error';
  const last = over ? 'completed' : status === 'planned' || code.code === 'PRENC' ? 'planned' : 'active';
  const location = places.map((one, index): EncounterLocation => {
    const next = places[index + 1];
    const end = one.end ?? (next ? next.start : status === 'finished' ? period?.end : undefined);
    return { location: one.place, status: next || one.end ? 'completed' : last, ...periodOf(one.start, end) };
  });
  const awaited = over ? undefined : awaitedPlace(statements);
  if (awaited) location.push({ location: awaited, status: 'planned' });
  const classHistory = classesOf(statements, status === 'finished' ? period?.end : undefined);
  const leaves = statements.findLast(({ said }) => said === 'leaves')?.at;
  return {
    ...(location.length > 0 ? { location } : {}),
    ...(classHistory.length > 1 ? { classHistory } : {}),
    ...(leaves ? { extension: [{ url: PLANNED_END, valueDateTime: leaves }] } : {}),
  };
}

function placesOf(statements: readonly Statement[]): Place[] {
  const places: Place[] = [];
  const isAt = (place: Reference<Location>) => places.at(-1)?.place.reference === place.reference;
  for (const [index, { said, place, from, at }] of statements.entries()) {
    if (!place || !(isMove(said) || said === 'seen')) continue;
    // What is seen counts only when nothing is said to have happened since.
    if (said === 'seen' && statements.slice(index + 1).some((later) => isMove(later.said))) continue;
    if (said === 'returned' && !isAt(place) && places.length > 1) places.pop();
    if (isAt(place)) continue;
    if (from && !isAt(from)) places.push({ place: from, ...(at ? { end: at } : {}) });
    const isFirst = said === 'seen' && places.length === 0;
    places.push({ place, ...(at && !isFirst ? { start: at } : {}) });
  }
  return places;
}

const isMove = (said: Statement['said']) => said === 'moved' || said === 'returned';

/** Where the patient is to go: asked for, and neither called off nor done since. */
function awaitedPlace(statements: readonly Statement[]): Reference<Location> | undefined {
  const last = statements.findLast(({ said }) => said === 'awaits' || said === 'stays' || isMove(said));
  return last?.said === 'awaits' ? last.place : undefined;
}

function classesOf(statements: readonly Statement[], end: string | undefined): EncounterClassHistory[] {
  const told = statements.flatMap(({ class: code, at }) => (code ? [{ code, at }] : []));
  const runs = told.filter(({ code }, index) => code.code !== told[index - 1]?.code.code);
  return runs.map(({ code, at }, index) => {
    const next = runs[index + 1];
    return { class: code, period: periodOf(at, next ? next.at : end).period ?? {} };
  });
}

/** A period whose ends come from different clocks may look reversed; then it has no end. */
function periodOf(start: string | undefined, end: string | undefined): Pick<EncounterLocation, 'period'> {
  const isSound = end !== undefined && !(start !== undefined && comesBefore(end, start));
  const period = { ...(start === undefined ? {} : { start }), ...(isSound ? { end } : {}) };
  return start === undefined && !isSound ? {} : { period };
}
