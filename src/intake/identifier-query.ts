// Finding stored resources by the identifiers of a message.
import { tokenText } from '../fhir/search/token-text.ts';
import type { Draft } from './map/drafts.ts';

/** A FHIR search parameter value: `system|value`, escaped for a URL. */
export const searchToken = ({ system, value }: Draft['match']): string => encodeURIComponent(tokenText(system, value));
