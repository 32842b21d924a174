// Finding stored resources by the identifiers of a message.
import { tokenText } from '../fhir/search/token-text.ts';
import type { Draft } from './map/drafts.ts';

/** A FHIR search parameter value: `system|value`, escaped for a URL. */
export const searchToken = ({ system, value }: Draft['match']): string => encodeURIComponent(tokenText(system, value));

/** `Type?identifier=…` for whatever has one of them. */
export function identifierQuery(type: string, identifiers: readonly Draft['match'][]): string {
  return `${type}?identifier=${identifiers.map(searchToken).join(',')}`;
}
