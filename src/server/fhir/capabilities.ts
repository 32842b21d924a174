// capabilities: what this server can do. Open to everybody. https://hl7.org/fhir/R4/http.html#capabilities
import { Fault } from '../../fault.ts';
import type { Answer, FhirContext, FhirRequest } from './context.ts';

export async function capabilities(context: FhirContext, { pairs }: FhirRequest): Promise<Answer> {
  const mode = pairs.find(([name]) => name === 'mode')?.[1];
  if (mode === 'terminology') return { status: 200, body: context.terminologyCapabilities() };
  if (mode !== undefined && mode !== 'full') {
    throw new Fault('invalid', 'Only mode=full and mode=terminology are offered.', { code: 'not-supported' });
  }
  return { status: 200, body: context.capabilities() };
}
