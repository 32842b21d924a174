// Moving through a resource: fields, children and descendants, with the types kept beside the values.
import { type Evaluate, refuseTooMany } from './evaluation.ts';
import { type Field, fieldOf, fieldsOf, isKindOf, isType, type Property } from './type-model.ts';
import { type Collection, collectionOf, EMPTY, isPrimitive, type TypedValue } from './typed-value.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** `focus.name`. The field's definition is looked up once per type that passes, not once per value. */
export function compileField(name: string): Evaluate {
  let lastType: string | undefined;
  let lastField: Field | undefined;
  return (_frame, focus) => {
    const found: TypedValue[] = [];
    for (const item of focus) {
      if (item.type !== lastType) {
        lastType = item.type;
        lastField = fieldOf(item.type, name);
      }
      readInto(found, item, name, lastField);
      refuseTooMany(found.length);
    }
    return found;
  };
}

/** A name at the start of a path: the type of the focus (`Patient.name`) or one of its fields. */
export function compileHead(name: string): Evaluate {
  const field = compileField(name);
  if (!/^[A-Z]/.test(name) || !isType(name)) return field;
  return (frame, focus) => {
    const typed = focus.filter((item) => isKindOf(item.type, name));
    return typed.length > 0 ? typed : field(frame, focus);
  };
}

/** All children of all items, in the order of the definition. */
function childrenOf(focus: Collection): TypedValue[] {
  const found: TypedValue[] = [];
  for (const item of focus) {
    if (isPrimitive(item.type)) {
      readInto(found, item, 'id', undefined);
      readInto(found, item, 'extension', undefined);
    } else if (item.type === 'object') {
      for (const value of Object.values(item.value as JsonObject)) found.push(...collectionOf(value));
    } else {
      for (const field of fieldsOf(item.type)) readInto(found, item, '', field);
    }
    refuseTooMany(found.length);
  }
  return found;
}

/** Children, their children, and so on. */
function descendantsOf(focus: Collection): TypedValue[] {
  const found: TypedValue[] = [];
  for (let level = childrenOf(focus); level.length > 0; level = childrenOf(level)) {
    for (const item of level) found.push(item);
    refuseTooMany(found.length);
  }
  return found;
}

/** The extensions of an item, also of a primitive. */
export function extensionsOf(item: TypedValue): Collection {
  const found: TypedValue[] = [];
  readInto(found, item, 'extension', fieldOf(item.type, 'extension'));
  return found;
}

function readInto(found: TypedValue[], item: TypedValue, name: string, field: Field | undefined): void {
  const { value } = item;
  if (item.element || typeof value !== 'object' || value === null) {
    readOfPrimitive(found, item, name);
  } else if (field) {
    for (const property of field) readProperty(found, value as JsonObject, property);
  } else if (item.type === 'object' && Object.hasOwn(value, name)) {
    found.push(...collectionOf((value as JsonObject)[name]));
  }
}

function readProperty(found: TypedValue[], object: JsonObject, { key, type, companion }: Property): void {
  const value = object[key];
  const extra = companion === undefined ? undefined : object[companion];
  if (extra !== undefined && extra !== null) {
    readWithCompanion(found, type, value, extra);
  } else if (Array.isArray(value)) {
    for (const item of value) if (item !== null) found.push(typed(type, item));
  } else if (value !== undefined && value !== null) {
    found.push(typed(type, value));
  }
}

/** Primitives with ids or extensions: two properties, for a list two lists of which each may have null places. */
function readWithCompanion(found: TypedValue[], type: string, value: unknown, extra: unknown): void {
  if (!Array.isArray(extra) && !Array.isArray(value)) {
    found.push({ type, value: value ?? undefined, element: extra as object });
    return;
  }
  const values = Array.isArray(value) ? value : [];
  const extras = Array.isArray(extra) ? extra : [];
  for (let index = 0; index < Math.max(values.length, extras.length); index++) {
    const own = values[index] ?? undefined;
    const element = extras[index];
    if (element !== null && typeof element === 'object') found.push({ type, value: own, element });
    else if (own !== undefined) found.push({ type, value: own });
  }
}

function readOfPrimitive(found: TypedValue[], item: TypedValue, name: string): void {
  if (name === 'value' && item.value !== undefined && isPrimitive(item.type)) {
    found.push({ type: item.type, value: item.value });
    return;
  }
  const element = item.element as { id?: unknown; extension?: unknown } | undefined;
  if (!element) return;
  if (name === 'id' && typeof element.id === 'string') found.push({ type: 'string', value: element.id });
  if (name === 'extension' && Array.isArray(element.extension)) {
    for (const value of element.extension) if (value !== null) found.push({ type: 'Extension', value });
  }
}

function typed(type: string, value: unknown): TypedValue {
  if (type !== 'Resource') return { type, value };
  const { resourceType } = value as { resourceType?: unknown };
  return { type: typeof resourceType === 'string' ? resourceType : type, value };
}

/** `children()` and `descendants()` of nothing are nothing. */
export const children: Evaluate = (_frame, focus) => (focus.length === 0 ? EMPTY : childrenOf(focus));
export const descendants: Evaluate = (_frame, focus) => (focus.length === 0 ? EMPTY : descendantsOf(focus));
