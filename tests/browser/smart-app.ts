// A SMART application of three pages, with fhirclient's own browser build: one to begin by itself, one to be launched, one
// to come back to.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { listen, stop } from './in-front.ts';

export interface SmartApp {
  readonly base: string;
  close(): Promise<void>;
}

const LIBRARY = readFileSync(join(import.meta.dirname, 'node_modules/fhirclient/build/fhir-client.js'), 'utf8');
const SHARED = "clientId: 'smart-app', redirectUri: '/callback', pkceMode: 'required'";

const SCRIPTS: Readonly<Record<string, (iss: string) => string>> = {
  '/standalone': (iss) =>
    `FHIR.oauth2.authorize({ ${SHARED}, iss: '${iss}', scope: 'openid fhirUser launch/patient offline_access patient/*.rs user/Practitioner.r' })`,
  '/launch': () =>
    `FHIR.oauth2.authorize({ ${SHARED}, scope: 'openid fhirUser launch patient/*.rs user/Practitioner.r' })`,
  '/callback': () =>
    `FHIR.oauth2.ready()
      .then(async (client) => {
        const patient = await client.patient.read();
        const user = await client.user.read();
        return JSON.stringify({
          patient: patient.name[0].given[0],
          user: user.resourceType + '/' + user.id,
          encounter: client.encounter.id,
          scope: client.state.tokenResponse.scope,
          refreshed: client.state.tokenResponse.refresh_token
            ? (await client.refresh()).tokenResponse.patient
            : null,
        });
      })
      .catch((error) => 'FAILED ' + error.message)
      .then((text) => { document.querySelector('output').textContent = text; })`,
};

/** @param iss FHIR base URL for a standalone launch; asked at each request */
export async function openSmartApp(iss: () => string): Promise<SmartApp> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://localhost');
    if (pathname === '/fhir-client.js') {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(LIBRARY);
      return;
    }
    const script = SCRIPTS[pathname];
    const page = `<!doctype html><html lang="en"><title>App</title><output></output>
<script src="/fhir-client.js"></script><script>${script?.(iss())}</script></html>`;
    response.writeHead(script ? 200 : 404, { 'content-type': 'text/html' }).end(script ? page : '');
  });
  return { base: await listen(server), close: () => stop(server) };
}
