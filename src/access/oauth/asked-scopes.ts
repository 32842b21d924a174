// Which scopes an application gets: all that it asked for, or an error that names those it may not have.
// https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
import { isWithin, parseScopes } from '../scopes.ts';

/** Scopes about who and what is in context, not about resources. */
export const CONTEXT_SCOPES = [
  'openid',
  'fhirUser',
  'profile',
  'launch',
  'launch/patient',
  'launch/encounter',
  'offline_access',
  'online_access',
] as const;

/** Those that the library has rules of its own for. */
export const LIBRARY_SCOPES = ['openid', 'offline_access', 'fhirUser', 'profile'];

const MAX_WORDS = 200;

export type Flow = 'authorization_code' | 'client_credentials';

/**
 * @param asked space-separated, as sent
 * @param registered what the client may ask for
 * @returns the first scope that is unknown, beyond the registration or not for this flow; undefined when all are granted
 */
export function firstRefused(asked: string, registered: string, flow: Flow): string | undefined {
  const words = wordsOf(asked);
  if (words.length > MAX_WORDS) return words[MAX_WORDS];
  const allowedWords = new Set(wordsOf(registered));
  const allowed = parseScopes(registered);
  return words.find((word) => {
    if ((CONTEXT_SCOPES as readonly string[]).includes(word)) {
      return flow === 'client_credentials' || !allowedWords.has(word);
    }
    const scope = parseScopes(word);
    const [resource] = scope.resources;
    if (!resource && scope.doors.size === 0) return true;
    // Baton's doors and system scopes are for services, the others need somebody who signs in.
    const isForServices = !resource || resource.level === 'system';
    return isForServices !== (flow === 'client_credentials') || !isWithin(scope, allowed);
  });
}

/** Each once, in the order they were asked for. */
export function wordsOf(scope: string): string[] {
  return [...new Set(scope.split(' ').filter((word) => word !== ''))];
}

/** True when nobody but a person can say which patient the token is about. */
export function needsPatient(words: readonly string[]): boolean {
  return words.some((word) => word === 'launch/patient' || word === 'launch/encounter' || word.startsWith('patient/'));
}
