// UUIDs that follow from what they name, so that planning the same thing twice gives the same plan.
import { createHash } from 'node:crypto';

/** A UUID (version 8, RFC 9562) made from `parts`. */
export function derivedId(...parts: readonly string[]): string {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  const groups = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ];
  return groups.join('-');
}

/** The same as a fullUrl: `urn:uuid:…`. */
export function derivedUrn(...parts: readonly string[]): string {
  return `urn:uuid:${derivedId(...parts)}`;
}
