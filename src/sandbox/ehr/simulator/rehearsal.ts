// `baton sandbox ehr`: a simulated server to rehearse a connection against, and what to configure for it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import closeWithGrace from 'close-with-grace';
import { Fault } from '../../../fault.ts';
import { SANDBOX_CLIENT_ID, SANDBOX_FACILITY } from '../../sandbox-config.ts';
import { SIMULATED, type SimulatedVendor } from '../vendors/presets.ts';
import { builtInHospital, builtInRecord } from './built-in-patients.ts';
import { resourcesOf } from './control.ts';
import type { RehearsalOptions } from './rehearsal-options.ts';
import { type SimulatedEhr, startSimulatedEhr } from './server.ts';

const BATON_KEYS = 'http://127.0.0.1:8080/.well-known/jwks.json';
const STOP_WITHIN_MS = 3_000;

/** Runs until it is told to stop. @throws Fault invalid for options that make no sense */
export async function rehearse(options: RehearsalOptions, print: (line: string) => void): Promise<void> {
  const server = await startRehearsal(options);
  closeWithGrace({ delay: STOP_WITHIN_MS, logger: false }, () => server.close());
  for (const line of introduction(server, options)) print(line);
}

/** @throws Fault invalid */
export async function startRehearsal(options: RehearsalOptions): Promise<SimulatedEhr> {
  const vendor = options.vendor ?? 'hapi';
  if (!Object.hasOwn(SIMULATED, vendor)) {
    throw new Fault('invalid', `There is no vendor "${vendor}". There are: ${Object.keys(SIMULATED).join(', ')}.`);
  }
  const data = options.data === undefined ? builtIn(whole(options, 'patients', 3)) : readFolder(options.data);
  const clientId = options['client-id'] ?? SANDBOX_CLIENT_ID;
  const latency = whole(options, 'latency', 0);
  const port = whole(options, 'port', 9000);
  const server = await startSimulatedEhr({
    vendor: vendor as SimulatedVendor,
    port,
    seed: whole(options, 'seed', 1),
    client: options.open ? 'none' : { clientId, keys: options['jwks-url'] ?? BATON_KEYS },
    ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
  }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EADDRINUSE') throw cause;
    throw new Fault('invalid', `Port ${port} is in use. Name another one with --port.`, { cause });
  });
  server.turn({ latency });
  server.load(data);
  return server;
}

function whole(options: RehearsalOptions, name: 'port' | 'seed' | 'latency' | 'patients', otherwise: number): number {
  const given = options[name] ?? String(otherwise);
  if (/^\d{1,7}$/.test(given)) return Number(given);
  throw new Fault('invalid', `--${name} must be a whole number, not "${given}".`);
}

const builtIn = (patients: number): Resource[] => [
  ...builtInHospital(),
  ...Array.from({ length: patients }, (_, index) => builtInRecord(index)).flat(),
];

/** Resources and Bundles in the JSON files of a folder. @throws Fault invalid */
function readFolder(folder: string): Resource[] {
  try {
    const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
    return files.sort().flatMap((name) => resourcesOf(JSON.parse(readFileSync(join(folder, name), 'utf8'))));
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault('invalid', `The JSON files in ${folder} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** What sync may do with each type at the vendor: both ways where it takes writes or a document instead, else only in. */
const FLOWING = 'Patient Encounter Condition Observation ServiceRequest CareTeam Goal CarePlan Task'.split(' ');
const IN_DOCUMENTS = new Set(['CarePlan', 'Goal', 'Task']);
/** Servers that tell what changed only patient by patient need to hear which patients; this finds all of ours. */
const EVERYBODY = { kind: 'query', query: 'birthdate=gt1900-01-01' };

/** A configuration file for a Baton that is connected to the server. */
export function configurationFor({ baseUrl, ehr }: SimulatedEhr, options: RehearsalOptions): Record<string, unknown> {
  const { rules, abilities, vendor } = ehr;
  const types = FLOWING.filter((type) => abilities.types().includes(type)).map((type) => {
    const writes = abilities.can(type, 'update') && type !== 'Patient';
    return [type, writes || IN_DOCUMENTS.has(type) ? 'both' : 'pull'];
  });
  const patients = abilities.can('Patient', 'history-type') ? {} : { patients: EVERYBODY };
  const scope = rules.tokens.scopes === 'v1' ? 'system/*.read system/*.write' : 'system/*.cruds';
  const auth = options.open
    ? { type: 'none' }
    : { type: 'smart-backend', clientId: options['client-id'] ?? SANDBOX_CLIENT_ID, scope };
  return {
    facilities: [SANDBOX_FACILITY],
    connections: [{ name: vendor, baseUrl, vendor, mode: 'both', auth, types: Object.fromEntries(types), ...patients }],
  };
}

/** The lines on the terminal. */
export function introduction(server: SimulatedEhr, options: RehearsalOptions): string[] {
  const { ehr, baseUrl, tokenUrl, controlUrl, controlKey, clientSecret } = server;
  const counts = Object.entries(ehr.records.counts()).map(([type, count]) => `${count} ${type}`);
  const access = options.open
    ? ['access        open: no token is asked for']
    : [
        `token URL     ${tokenUrl}`,
        `client id     ${options['client-id'] ?? SANDBOX_CLIENT_ID}`,
        `client keys   ${options['jwks-url'] ?? BATON_KEYS} (${ehr.rules.tokens.algorithms.join(' or ')})`,
        ...(ehr.rules.tokens.secret ? [`client secret ${clientSecret}`] : []),
      ];
  return [
    `A simulated ${ehr.vendor} with fictional records, in memory, for this machine only.`,
    '',
    `FHIR base     ${baseUrl}`,
    ...access,
    `holds         ${counts.join(', ')}`,
    '',
    'Save as baton.json and run BATON_CONFIG=baton.json npm start:',
    JSON.stringify(configurationFor(server, options), null, 2),
    '',
    'Make something go wrong (docs/simulated-ehrs.md has all the knobs):',
    `  curl -X PUT -H 'Authorization: Bearer ${controlKey}' -d '{"mishaps":[{"do":"status","status":503,"count":3}]}' ${controlUrl}/knobs`,
    '',
    'Ctrl-C stops it.',
  ];
}
