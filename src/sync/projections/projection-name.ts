// The names by which what was projected is known again on the remote.
import { createHash } from 'node:crypto';
import type { Identifier } from '@medplum/fhirtypes';
import { isJsonObject, type Json, type JsonObject } from '../../fhir/canonical-json.ts';
import type { MappingContext } from '../mapping.ts';
import type { Projection, Source } from './projection-row.ts';

type Named = Pick<Projection, 'connection' | 'source' | 'number'>;

/** One for all that is made of a source, and one for this resource. */
export function projectionIdentifiers(mapping: MappingContext, { source, number }: Named): Identifier[] {
  return [
    { system: sourceSystem(mapping), value: keyOf(source) },
    { system: numberSystem(mapping), value: `${keyOf(source)}/${number}` },
  ];
}

/** Of one version of a document. */
export function versionIdentifier(mapping: MappingContext, { source, number }: Named, contentHash: string): Identifier {
  return { system: numberSystem(mapping), value: `${keyOf(source)}/${number}/${contentHash.slice(0, 16)}` };
}

/** A mark that survives where identifiers are not kept, as part of a text that people see. */
export function projectionMark({ connection, source, number }: Named): string {
  return createHash('sha256')
    .update(`${connection}|${keyOf(source)}|${number}`)
    .digest('hex')
    .slice(0, 10);
}

/** True for what a Baton of this address made of a resource, on whatever server it is met. */
export function isNamedProjection(mapping: MappingContext, body: JsonObject): boolean {
  return list(body.identifier).some((one) => isJsonObject(one) && one.system === sourceSystem(mapping));
}

/** What tells one projected resource from others: our numbers, the description with its mark, contents. */
export function fingerprints(mapping: MappingContext, body: JsonObject): Set<string> {
  const found = new Set<string>();
  for (const one of list(body.identifier)) {
    if (isJsonObject(one) && one.system === numberSystem(mapping)) found.add(`number ${String(one.value)}`);
  }
  if (typeof body.description === 'string') found.add(`description ${body.description}`);
  for (const content of list(body.content)) {
    const attachment = isJsonObject(content) ? content.attachment : undefined;
    if (!isJsonObject(attachment)) continue;
    if (typeof attachment.hash === 'string') found.add(`hash ${attachment.hash}`);
    else if (typeof attachment.data === 'string') found.add(`hash ${sha1(attachment.data)}`);
  }
  for (const payload of list(body.payload)) {
    if (isJsonObject(payload) && typeof payload.contentString === 'string') found.add(`text ${payload.contentString}`);
  }
  return found;
}

export function numberSystem({ ownSystem }: MappingContext): string {
  return `${ownSystem}/projection-number`;
}

function sourceSystem({ ownSystem }: MappingContext): string {
  return `${ownSystem}/projection`;
}

export function keyOf({ type, id }: Source): string {
  return `${type}/${id}`;
}

function sha1(base64: string): string {
  return createHash('sha1').update(Buffer.from(base64, 'base64')).digest('base64');
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}
