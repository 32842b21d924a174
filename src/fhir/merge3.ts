// Three-way merge of two copies of a resource against their last common version, element by element. Pure. What both
// sides changed differently is decided by a policy per element, and without one waits for a person.
import { canonicalJson, isJsonObject, type Json, type JsonObject, sameJson } from './canonical-json.ts';
import { keyed, shownKey } from './merge-keys.ts';
import { choiceMembers, choiceOf, isWhole, mergeCodings } from './merge-units.ts';

/** `review` keeps both sides and reports a conflict; `append` is `union` whose new items stand in order of time. */
export type Preference = 'ours' | 'theirs' | 'union' | 'append' | 'review';

export interface MergePolicy {
  /** For elements that no path names; `review` when absent. */
  readonly default?: Preference;
  /** Element path without the type, e.g. `activity.detail.status`; holds for everything below it. */
  readonly paths?: Readonly<Record<string, Preference>>;
}

/** An element that both sides changed and no policy decides. Absent sides were removed (or never there). */
export interface MergeConflict {
  /** With the keys of list items, e.g. `activity[Task/1].detail.status`. */
  readonly path: string;
  readonly base?: Json | undefined;
  readonly ours?: Json | undefined;
  readonly theirs?: Json | undefined;
  /** What no policy of an element asked: the step of a code, or the patient of the whole resource. */
  readonly why?: 'transition' | 'patient';
}

export interface Merge {
  /** A complete body; where there are conflicts it has ours. */
  readonly merged: JsonObject;
  readonly conflicts: readonly MergeConflict[];
}

type Side = Json | undefined;
type Place = { readonly element: string; readonly path: string; readonly shown: string };
type Context = { readonly policy: MergePolicy; readonly conflicts: MergeConflict[] };

/**
 * Merges `ours` and `theirs`, both grown from `base`. Unchanged and one-sided changes are taken as they are; elements
 * this code knows nothing about are treated like all others, so that they survive.
 */
export function merge3(base: JsonObject, ours: JsonObject, theirs: JsonObject, policy: MergePolicy = {}): Merge {
  const context: Context = { policy, conflicts: [] };
  const merged = mergeValue(context, { element: '', path: '', shown: '' }, base, ours, theirs);
  return { merged: isJsonObject(merged) ? merged : {}, conflicts: context.conflicts };
}

/**
 * Repeats on `onto` what changed from `before` to `after`. Where `onto` differs from `before` at the same place, the
 * change wins.
 */
export function carryChange(before: JsonObject, after: JsonObject, onto: JsonObject): JsonObject {
  return merge3(before, after, onto, { default: 'ours' }).merged;
}

function mergeValue(context: Context, place: Place, base: Side, ours: Side, theirs: Side): Side {
  const settled = agreed(base, ours, theirs);
  if (settled) return settled.value;
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    const merged = mergeLists(context, place, Array.isArray(base) ? base : [], ours, theirs);
    // Each side took out what the other had left: FHIR has no empty lists.
    if (merged) return merged.length > 0 ? merged : undefined;
  } else if (isJsonObject(ours) && isJsonObject(theirs)) {
    const origin = isJsonObject(base) ? base : undefined;
    if (place.path === '' || (!isWhole(ours) && !isWhole(theirs)))
      return mergeObjects(context, place, origin ?? {}, ours, theirs);
    const codings = mergeCodings(origin, ours, theirs);
    if (codings) return codings;
  } else if ((ours === undefined || theirs === undefined) && isTurned(place, base, ours ?? theirs)) {
    return undefined; // one side removed the list, and the other did no more than put it into another order
  }
  return decide(context, place, base, ours, theirs);
}

/** The value, when both sides are the same or only one of them moved. */
function agreed(base: Side, ours: Side, theirs: Side): { readonly value: Side } | undefined {
  if (sameJson(ours, theirs) || sameJson(theirs, base)) return { value: ours };
  if (sameJson(ours, base)) return { value: theirs };
  return undefined;
}

function decide(context: Context, place: Place, base: Side, ours: Side, theirs: Side): Side {
  const preference = preferenceFor(context.policy, place.path);
  if (preference === 'ours') return ours;
  if (preference === 'theirs') return theirs;
  // Edited on one side and removed on the other: kept where everything is to be kept.
  if (preference !== 'review' && (ours === undefined || theirs === undefined)) return ours ?? theirs;
  context.conflicts.push({ path: place.shown, base, ours, theirs });
  return ours ?? theirs;
}

function preferenceFor(policy: MergePolicy, path: string): Preference {
  return ruleFor(policy, path).preference;
}

/**
 * The rule of a policy that decides about an element.
 * @param path without the type and without keys, e.g. `activity.detail.status`
 * @returns `rule` is the path that the policy names, or `default`
 */
export function ruleFor(policy: MergePolicy, path: string): { readonly rule: string; readonly preference: Preference } {
  const parts = path.split('.');
  for (let length = parts.length; length > 0; length -= 1) {
    const rule = parts.slice(0, length).join('.');
    const preference = policy.paths?.[rule];
    if (preference) return { rule, preference };
  }
  return { rule: 'default', preference: policy.default ?? 'review' };
}

function mergeObjects(
  context: Context,
  place: Place,
  base: JsonObject,
  ours: JsonObject,
  theirs: JsonObject,
): JsonObject {
  const merged: JsonObject = {};
  const done = new Set<string>();
  for (const name of new Set([base, ours, theirs].flatMap((side) => Object.keys(side)))) {
    const choice = choiceOf(name);
    if (done.has(choice ?? name)) continue;
    if (choice && isRetyped(choice, base, ours, theirs)) {
      done.add(choice);
      Object.assign(merged, mergeChoice(context, within(place, `${choice}[x]`), choice, base, ours, theirs));
      continue;
    }
    const value = mergeValue(context, within(place, name), base[name], ours[name], theirs[name]);
    if (value !== undefined) merged[name] = value;
  }
  return merged;
}

/** True when the sides do not all use the same type of a choice element such as `deceased[x]`. */
function isRetyped(choice: string, ...sides: JsonObject[]): boolean {
  const names = sides.flatMap((side) => Object.keys(choiceMembers(side, choice)).map((name) => name.replace(/^_/, '')));
  return new Set(names).size > 1;
}

function mergeChoice(
  context: Context,
  place: Place,
  choice: string,
  base: JsonObject,
  ours: JsonObject,
  theirs: JsonObject,
): JsonObject {
  const [origin, mine, other] = [base, ours, theirs].map((side) => choiceMembers(side, choice));
  const settled = agreed(origin, mine, other);
  const value = settled ? settled.value : decide(context, place, origin, mine, other);
  return isJsonObject(value) ? value : {};
}

/** Merged by item key, or undefined when the list can only be taken as a whole. */
function mergeLists(context: Context, place: Place, base: Json[], ours: Json[], theirs: Json[]): Json[] | undefined {
  const preference = preferenceFor(context.policy, place.path);
  const key = (items: Json[]) => keyed(place.element, items);
  let sides = [key(base), key(ours), key(theirs)] as const;
  if (sides.some((side) => side === undefined)) {
    if (preference !== 'union' && preference !== 'append') return undefined;
    const whole = (items: Json[]) => new Map(items.map((item) => [canonicalJson(item), item]));
    sides = [whole(base), whole(ours), whole(theirs)];
  }
  const [origin, mine, other] = sides;
  if (!origin || !mine || !other) return undefined;
  const merge = (item: string) =>
    mergeValue(context, itemPlace(place, item), origin.get(item), mine.get(item), other.get(item));
  const added = [...new Set([...mine.keys(), ...other.keys()])].filter((item) => !origin.has(item)).sort();
  const kept = [...origin.keys()].map(merge).filter((item) => item !== undefined);
  const grown = added.map(merge).filter((item) => item !== undefined);
  // The same order whichever side merges, so that two servers arrive at the same body.
  if (preference === 'append') grown.sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : timeOf(a) > timeOf(b) ? 1 : 0));
  return [...kept, ...grown];
}

/** The same keyed items as the base's, in whatever order. */
function isTurned({ element }: Place, base: Side, side: Side): boolean {
  if (!Array.isArray(base) || !Array.isArray(side)) return false;
  const [before, after] = [keyed(element, base), keyed(element, side)];
  if (!before || !after || before.size !== after.size) return false;
  return [...before].every(([key, item]) => sameJson(item, after.get(key)));
}

function timeOf(item: Json): string {
  return isJsonObject(item) && typeof item.time === 'string' ? item.time : '';
}

function within(place: Place, element: string): Place {
  const under = (path: string) => (path === '' ? element : `${path}.${element}`);
  return { element, path: under(place.path), shown: under(place.shown) };
}

function itemPlace(place: Place, key: string): Place {
  return { ...place, shown: `${place.shown}[${shownKey(key)}]` };
}
