// Which local resource a remote one without a link is, if any. Only an exact business identifier decides; whatever is
// merely possible waits for a person. docs/sync-spec.md#I8
import { isJsonObject, type Json, type JsonObject } from '../fhir/canonical-json.ts';
import { tokenText } from '../fhir/search/token-text.ts';
import type { StoredVersion } from '../store/store.ts';
import { parseBody } from './body.ts';
import type { RunContext } from './context.ts';
import { readLink } from './identity.ts';
import { ownIdentifierOf } from './mapping.ts';

export type Match =
  | { readonly kind: 'none' }
  | { readonly kind: 'ours' | 'identifier'; readonly stored: StoredVersion }
  /** Perhaps this one, or a second copy of it. */
  | { readonly kind: 'unclear'; readonly stored: StoredVersion; readonly why: 'identity' | 'duplicate' };

export async function findMatch(context: RunContext, type: string, remote: JsonObject): Promise<Match> {
  const ours = ownIdentifierOf(context.mapping, remote);
  if (ours !== undefined) {
    const stored = await context.store.read(type, ours);
    if (stored && stored.operation !== 'delete') {
      const linked = await readLink(context.store, context.connection.name, type, ours);
      return linked ? { kind: 'unclear', stored, why: 'duplicate' } : { kind: 'ours', stored };
    }
  }
  const candidates = await withSameIdentifier(context, type, remote);
  const [only, second] = candidates;
  if (!only) return { kind: 'none' };
  if (second || contradicts(remote, parseBody(only.content))) return { kind: 'unclear', stored: only, why: 'identity' };
  const linked = await readLink(context.store, context.connection.name, type, only.id);
  return linked ? { kind: 'unclear', stored: only, why: 'duplicate' } : { kind: 'identifier', stored: only };
}

async function withSameIdentifier(context: RunContext, type: string, remote: JsonObject): Promise<StoredVersion[]> {
  const found = new Map<string, StoredVersion>();
  for (const identifier of Array.isArray(remote.identifier) ? remote.identifier : []) {
    const token = tokenOf(identifier);
    if (token === undefined) continue;
    const matches = await context.store.find(`${type}?identifier=${encodeURIComponent(token)}`);
    for (const stored of matches) found.set(stored.id, stored);
  }
  return [...found.values()];
}

/** `system|value`, escaped; undefined without both, because a bare number says nothing about who gave it. */
export function tokenOf(identifier: Json): string | undefined {
  if (!isJsonObject(identifier)) return undefined;
  const { system, value } = identifier;
  if (typeof system !== 'string' || typeof value !== 'string' || system === '' || value === '') return undefined;
  return tokenText(system, value);
}

/** The same number on people born on different days is a typing error or a reused number, not a match. */
export function contradicts(remote: JsonObject, local: JsonObject): boolean {
  const [there, here] = [remote.birthDate, local.birthDate];
  return typeof there === 'string' && typeof here === 'string' && there !== here;
}
