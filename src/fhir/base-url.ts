// Where FHIR is below Baton's public URL.

export const FHIR_PATH = '/fhir/R4';

/** @param publicUrl without slash at the end. @returns the FHIR base URL, without one too */
export const fhirBase = (publicUrl: string): string => `${publicUrl}${FHIR_PATH}`;
