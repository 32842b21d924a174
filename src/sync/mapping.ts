// One resource in the terms of two servers: references and our own identifier change, everything else stays. Pure.
import { isJsonObject, type Json, type JsonObject } from '../fhir/canonical-json.ts';
import { parseLiteral } from '../fhir/references.ts';
import { comparable } from './body.ts';

/** Who is who between here and one connection. */
export interface LinkMap {
  /** Of a patient whose record was merged away, there or here, the record of the one who stands for them. */
  remoteOf(type: string, localId: string): string | undefined;
  /** Of a patient who was merged away, there or here, the one who stands for them. */
  localOf(type: string, remoteId: string): string | undefined;
  /** The same without that: what patients' records say of each other is about the records. */
  remoteRecordOf?(type: string, localId: string): string | undefined;
  localRecordOf?(type: string, remoteId: string): string | undefined;
}

export interface MappingContext {
  /** Base URL of the remote, without trailing slash. */
  readonly remoteBase: string;
  /** System of the identifier that resources made here carry elsewhere: `BASE_URL/id`. */
  readonly ownSystem: string;
}

export interface Mapped {
  readonly body: JsonObject;
  /** `Type/id` of targets that have no counterpart on the other side, in the terms of this side. */
  readonly missing: readonly string[];
}

/** R4 types without `identifier`, and those that have room for one only. */
const NO_IDENTIFIER = new Set(['AuditEvent', 'Binary', 'Linkage', 'OperationOutcome', 'Parameters', 'Provenance']);
const ONE_IDENTIFIER = new Set(['Bundle', 'Composition', 'QuestionnaireResponse']);

/** A resource of the remote in local terms, comparable. What is unknown here stays a URL of the remote. */
export function toLocalTerms(context: MappingContext, map: LinkMap, remote: JsonObject): Mapped {
  const missing = new Set<string>();
  const localOf = (remote.resourceType === 'Patient' && map.localRecordOf) || map.localOf;
  const body = mapReferences(withoutOwnIdentifier(context, comparable(remote)), (reference) => {
    const target = remoteTarget(context, reference.reference);
    if (!target) return fromLogical(context, reference);
    const local = localOf(target.type, target.id);
    if (local) return { ...reference, reference: `${target.type}/${local}` };
    missing.add(`${target.type}/${target.id}`);
    return { ...reference, reference: `${context.remoteBase}/${target.type}/${target.id}` };
  });
  return { body, missing: [...missing] };
}

/**
 * A comparable local body in the remote's terms, with our identifier. A target without a counterpart becomes a logical
 * reference: never a URL of ours, which the remote could not follow. docs/sync-spec.md#I15
 */
export function toRemoteTerms(context: MappingContext, map: LinkMap, local: JsonObject, localId: string): Mapped {
  const missing = new Set<string>();
  const remoteOf = (local.resourceType === 'Patient' && map.remoteRecordOf) || map.remoteOf;
  const body = mapReferences(local, (reference) => {
    const target = typeof reference.reference === 'string' ? parseLiteral(reference.reference) : undefined;
    if (!target) {
      const own = remoteTarget(context, reference.reference);
      return own ? { ...reference, reference: `${own.type}/${own.id}` } : reference;
    }
    const remote = remoteOf(target.type, target.id);
    if (remote) return { ...reference, reference: `${target.type}/${remote}` };
    missing.add(`${target.type}/${target.id}`);
    const { reference: _literal, ...rest } = reference;
    return { ...rest, type: target.type, identifier: { system: context.ownSystem, value: target.id } };
  });
  return { body: withOwnIdentifier(context, body, localId), missing: [...missing] };
}

/** True when a resource of the type can carry our identifier, and so be found again. */
export function carriesIdentifier(type: string): boolean {
  return !NO_IDENTIFIER.has(type) && !ONE_IDENTIFIER.has(type);
}

/** Local id in our identifier on a remote resource; undefined when it has none. */
export function ownIdentifierOf(context: MappingContext, remote: JsonObject): string | undefined {
  for (const identifier of list(remote.identifier)) {
    if (isJsonObject(identifier) && identifier.system === context.ownSystem && typeof identifier.value === 'string') {
      return identifier.value;
    }
  }
  return undefined;
}

/** `Type/id` of every literal reference to the remote itself. */
export function remoteTargets(context: MappingContext, remote: JsonObject): { type: string; id: string }[] {
  const found: { type: string; id: string }[] = [];
  mapReferences(remote, (reference) => {
    const target = remoteTarget(context, reference.reference);
    if (target) found.push(target);
    return reference;
  });
  return found;
}

/** `Type/id` of everything that a body in local terms names by its URL there, because it was unknown here. */
export function urlTargets(context: MappingContext, local: JsonObject): { type: string; id: string }[] {
  const found: { type: string; id: string }[] = [];
  mapReferences(local, (reference) => {
    const target = urlTarget(context, reference.reference);
    if (target) found.push(target);
    return reference;
  });
  return found;
}

/** The same body, with a local reference in place of each URL of the remote whose target is linked. */
export function mapUrls(context: MappingContext, localOf: LinkMap['localOf'], local: JsonObject): JsonObject {
  return mapReferences(local, (reference) => {
    const target = urlTarget(context, reference.reference);
    const known = target && localOf(target.type, target.id);
    return known === undefined ? reference : { ...reference, reference: `${target?.type}/${known}` };
  });
}

function urlTarget({ remoteBase }: MappingContext, reference: Json | undefined) {
  const prefix = `${remoteBase}/`;
  return typeof reference === 'string' && reference.startsWith(prefix)
    ? parseLiteral(reference.slice(prefix.length))
    : undefined;
}

function remoteTarget(context: MappingContext, reference: Json | undefined): { type: string; id: string } | undefined {
  if (typeof reference !== 'string') return undefined;
  return urlTarget(context, reference) ?? parseLiteral(reference);
}

function fromLogical(context: MappingContext, reference: JsonObject): JsonObject {
  const { identifier, type } = reference;
  if (reference.resourceType !== undefined || typeof type !== 'string' || !isJsonObject(identifier)) return reference;
  if (reference.reference !== undefined) return reference;
  if (identifier.system !== context.ownSystem || typeof identifier.value !== 'string') return reference;
  const { identifier: _identifier, type: _type, ...rest } = reference;
  return { ...rest, reference: `${type}/${identifier.value}` };
}

/**
 * The same body with other names in its literal references, whatever version they name.
 * @param nameOf of `Type/id`; undefined leaves it
 */
export function renameLiterals(body: JsonObject, nameOf: (name: string) => string | undefined): JsonObject {
  return mapReferences(body, (reference) => {
    const [, literal = '', version = ''] = /^(.*?)(\/_history\/.*)?$/.exec(String(reference.reference)) ?? [];
    const name = nameOf(literal);
    return name === undefined ? reference : { ...reference, reference: `${name}${version}` };
  });
}

/** The same JSON with every Reference replaced; the same object when none was. */
export function mapReferences(node: JsonObject, replace: (reference: JsonObject) => JsonObject): JsonObject {
  const walked = Object.entries(node).map(([key, value]) => [key, mapValue(value, replace)] as const);
  // The copy is a spread, because it keeps the digits of decimals.
  const next = walked.some(([key, value]) => value !== node[key]) ? { ...node, ...Object.fromEntries(walked) } : node;
  return typeof next.reference === 'string' || isJsonObject(next.identifier) ? replace(next) : next;
}

function mapValue(value: Json | undefined, replace: (reference: JsonObject) => JsonObject): Json | undefined {
  if (Array.isArray(value)) {
    const items = value.map((item) => mapValue(item, replace) ?? null);
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  return isJsonObject(value) ? mapReferences(value, replace) : value;
}

function withoutOwnIdentifier(context: MappingContext, body: JsonObject): JsonObject {
  if (!Array.isArray(body.identifier)) return body;
  const others = body.identifier.filter((item) => !(isJsonObject(item) && item.system === context.ownSystem));
  if (others.length === body.identifier.length) return body;
  const { identifier: _identifier, ...rest } = body;
  return others.length > 0 ? { ...rest, identifier: others } : rest;
}

function withOwnIdentifier(context: MappingContext, body: JsonObject, localId: string): JsonObject {
  if (!carriesIdentifier(String(body.resourceType))) return body;
  // A copy of another server's resource may bring one along; two of ours would name two of ours.
  const others = list(withoutOwnIdentifier(context, body).identifier);
  return { ...body, identifier: [...others, { system: context.ownSystem, value: localId }] };
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}
