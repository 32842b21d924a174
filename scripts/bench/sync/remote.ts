// An external FHIR server for the benchmark, in a process of its own: as fast as can be, but every answer takes 20 ms.
// Usage: node remote.ts PATIENTS TASKS_EACH PORT. Prints its base URL, then answers until its input ends.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const LATENCY = 20;
const PAGE = 200;
/** The resources there were at the beginning came one each second, the last of them at this instant. */
const LAST_STAMP = Temporal.Instant.from('2026-11-24T12:00:00.000Z').epochMilliseconds;
const [patients = 0, each = 0, port = 0] = process.argv.slice(2).map(Number);

interface Kept {
  version: number;
  lastUpdated: string;
  text: string;
}

const rows = new Map<string, Kept>();
const order = new Map<string, string[]>();
const ofPatient = new Map<string, string[]>();
/** How often was asked for one patient's resources. */
let rosterAsks = 0;
let made = 0;
const total = patients * (each + 1);
const stampOf = (nth: number) =>
  Temporal.Instant.fromEpochMilliseconds(LAST_STAMP - (total - nth) * 1000).toString({ smallestUnit: 'millisecond' });

for (let p = 0; p < patients; p += 1) {
  put('Patient', `p${p}`, { resourceType: 'Patient', name: [{ family: `Family ${p}` }], birthDate: '1950-02-01' });
  for (let t = 0; t < each; t += 1) {
    const reference = `Patient/p${p}`;
    const description = `Call the patient about step ${t}`;
    put('Task', `p${p}-t${t}`, {
      resourceType: 'Task',
      status: 'requested',
      intent: 'order',
      description,
      for: { reference },
    });
  }
}

function put(type: string, id: string, body: object): Kept {
  const key = `${type}/${id}`;
  const version = (rows.get(key)?.version ?? 0) + 1;
  made += 1;
  const lastUpdated = made <= total ? stampOf(made) : Temporal.Now.instant().toString({ smallestUnit: 'millisecond' });
  const text = JSON.stringify({ ...body, id, meta: { versionId: String(version), lastUpdated } });
  if (version === 1) listOf(order, type).push(key);
  const kept = { version, lastUpdated, text };
  rows.set(key, kept);
  const subject = (body as { for?: { reference?: string } }).for?.reference;
  if (version === 1 && subject) listOf(ofPatient, subject).push(key);
  return kept;
}

function listOf(lists: Map<string, string[]>, name: string): string[] {
  const list = lists.get(name) ?? [];
  lists.set(name, list);
  return list;
}

function search(type: string, query: URLSearchParams): string {
  const patient = query.get('patient') ?? query.get('subject');
  if (patient) rosterAsks += 1;
  const keys = patient ? (ofPatient.get(`Patient/${patient.replace('Patient/', '')}`) ?? []) : (order.get(type) ?? []);
  const all = query.has('identifier') ? [] : patient ? keys.filter((key) => key.startsWith(`${type}/`)) : keys;
  const found = changedSince(all, query.get('_lastUpdated')?.replace('ge', ''));
  const offset = Number(query.get('_offset') ?? 0);
  const page = found.slice(offset, offset + PAGE);
  const next = new URLSearchParams(query);
  next.set('_offset', String(offset + PAGE));
  const link = offset + PAGE < found.length ? `{"relation":"next","url":"${base}/${type}?${next}"}` : '';
  const entry = page.map((key) => `{"resource":${rows.get(key)?.text},"search":{"mode":"match"}}`).join(',');
  return `{"resourceType":"Bundle","type":"searchset","link":[${link}],"entry":[${entry}]}`;
}

/** By halves: they are in the order of their stamps, save those changed since, of which the benchmark asks no more. */
function changedSince(keys: string[], since: string | undefined): string[] {
  if (since === undefined) return keys;
  let [first, end] = [0, keys.length];
  while (first < end) {
    const middle = (first + end) >> 1;
    if ((rows.get(keys[middle] ?? '')?.lastUpdated ?? '') < since) first = middle + 1;
    else end = middle;
  }
  return keys.slice(first);
}

const STATEMENT = JSON.stringify({
  resourceType: 'CapabilityStatement',
  fhirVersion: '4.0.1',
  software: { name: 'bench' },
  rest: [
    {
      mode: 'server',
      resource: ['Patient', 'Task'].map((type) => ({
        type,
        versioning: 'versioned-update',
        conditionalCreate: true,
        interaction: ['read', 'search-type', 'create', 'update'].map((code) => ({ code })),
        searchParam: ['identifier', 'patient', '_lastUpdated'].map((name) => ({ name, type: 'token' })),
      })),
    },
  ],
});

function answer(request: IncomingMessage, text: string, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', base);
  const [type = '', id] = url.pathname.replace('/fhir', '').split('/').filter(Boolean);
  const send = (status: number, body: string, version?: number): void => {
    const etag = version === undefined ? {} : { etag: `W/"${version}"` };
    response.writeHead(status, { 'content-type': 'application/fhir+json', ...etag }).end(body);
  };
  const found = rows.get(`${type}/${id}`);
  if (request.method === 'GET') {
    if (type === 'metadata') send(200, STATEMENT);
    else if (type === 'asks') send(200, String(rosterAsks));
    else if (id === undefined) send(200, search(type, url.searchParams));
    else if (found) send(200, found.text, found.version);
    else send(404, '{"resourceType":"OperationOutcome","issue":[]}');
    return;
  }
  const kept = put(type, id ?? `made-${made}`, JSON.parse(text));
  send(request.method === 'POST' ? 201 : 200, kept.text, kept.version);
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => setTimeout(() => answer(request, Buffer.concat(chunks).toString(), response), LATENCY));
});
let base = '';
server.listen(port, '127.0.0.1', () => {
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`;
  console.log(base);
});
process.stdin.on('end', () => process.exit(0)).resume();
