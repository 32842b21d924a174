// Requests below the FHIR base, and the paths of the bare server.
import type { Request } from '../driver/connection.ts';

const BASE = '/fhir/R4';

export const get = (path: string): Request => ({ method: 'GET', path: `${BASE}/${path}` });
export const post = (path: string, body: string | Buffer): Request => ({
  method: 'POST',
  path: `${BASE}/${path}`,
  body,
});
export const put = (path: string, body: string): Request => ({ method: 'PUT', path: `${BASE}/${path}`, body });
export const remove = (path: string): Request => ({ method: 'DELETE', path: `${BASE}/${path}` });
