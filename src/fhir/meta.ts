// Profiles, security labels and tags of a resource: added and taken away as sets.
// https://hl7.org/fhir/R4/resource-operation-meta-add.html
import type { Coding, Meta } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';

/** Has what either has; what both have once. */
export function addMeta(meta: Meta, added: Meta): Meta {
  return withSets(meta, {
    profile: union(meta.profile, added.profile, (profile) => profile),
    security: union(meta.security, added.security, keyOf),
    tag: union(meta.tag, added.tag, keyOf),
  });
}

/** Without what is to be deleted; what is not there is ignored. */
export function deleteMeta(meta: Meta, deleted: Meta): Meta {
  return withSets(meta, {
    profile: without(meta.profile, deleted.profile, (profile) => profile),
    security: without(meta.security, deleted.security, keyOf),
    tag: without(meta.tag, deleted.tag, keyOf),
  });
}

/**
 * The Meta that an operation was given.
 * @throws Fault invalid when it is no Meta with lists of profiles, labels and tags
 */
export function readMeta(value: unknown): Meta {
  const {
    profile = [],
    security = [],
    tag = [],
  } = (isObject(value) ? value : { tag: null }) as Record<string, unknown>;
  const isList = (list: unknown, isItem: (item: unknown) => boolean) => Array.isArray(list) && list.every(isItem);
  const isText = (item: unknown) => typeof item === 'string' && item !== '';
  if (isList(profile, isText) && isList(security, isObject) && isList(tag, isObject)) return value as Meta;
  throw new Fault('invalid', 'The parameter meta must be a Meta with lists of profile, security and tag.', {
    code: 'value',
    expression: 'Parameters.parameter',
  });
}

type Sets = Pick<Meta, 'profile' | 'security' | 'tag'>;

/** FHIR has no empty lists. */
function withSets({ profile: _p, security: _s, tag: _t, ...rest }: Meta, { profile, security, tag }: Sets): Meta {
  return {
    ...rest,
    ...(profile?.length ? { profile } : {}),
    ...(security?.length ? { security } : {}),
    ...(tag?.length ? { tag } : {}),
  };
}

function union<T>(first: readonly T[] = [], second: readonly T[] = [], key: (item: T) => string): T[] {
  const present = new Set(first.map(key));
  const fresh = new Map(second.map((item) => [key(item), item]));
  return [...first, ...[...fresh].filter(([name]) => !present.has(name)).map(([, item]) => item)];
}

function without<T>(from: readonly T[] = [], taken: readonly T[] = [], key: (item: T) => string): T[] {
  const gone = new Set(taken.map(key));
  return from.filter((item) => !gone.has(key(item)));
}

/** Two labels are one when system and code are. */
const keyOf = ({ system = '', code = '' }: Coding) => `${system}|${code}`;

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
