// Canonical URLs with an optional business version. https://hl7.org/fhir/R4/references.html#canonical

export interface Canonical {
  readonly url: string;
  readonly version?: string;
}

/** `http://x|1.0` as URL and version; the version may itself hold a bar. */
export function toCanonical(text: string): Canonical {
  const bar = text.indexOf('|');
  if (bar < 0) return { url: text };
  const version = text.slice(bar + 1);
  return version === '' ? { url: text.slice(0, bar) } : { url: text.slice(0, bar), version };
}

export function fromCanonical({ url, version }: Canonical): string {
  return version === undefined ? url : `${url}|${version}`;
}
