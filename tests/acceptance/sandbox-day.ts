// Drives the real program from outside: starts it, waits for what it prints, kills it, and counts what is there after.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Bundle, Resource, Task } from '@medplum/fhirtypes';

const ROOT = join(import.meta.dirname, '../..');
const LAST_LINE = 'Baton stays up; Ctrl-C stops it.';
/** A program that is waited for and prints nothing for so long does not get on; on a busy machine it prints every 20 seconds. */
const LONGEST_SILENCE_MS = 120_000;

export interface Program {
  /** `http://127.0.0.1:PORT`; rejects, with all it has said, when the program ends first or does not get on. */
  readonly baseUrl: Promise<string>;
  /** The token the story prints at its end; rejects likewise. */
  readonly token: Promise<string>;
  readonly lines: readonly string[];
  /** When it has printed so many lines, or its story has ended; rejects likewise. */
  printed(count: number): Promise<unknown>;
  /** What it wrote to standard error. */
  readonly errors: () => string;
  /** `kill -9`; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGHUP. */
  hangUp(): void;
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>;
}

/** A folder and a port of its own. The port stays the same over restarts, since identifiers start with the base URL. */
export interface DayPlace {
  readonly folder: string;
  readonly port: number;
  remove(): Promise<void>;
}

export async function newDayPlace(): Promise<DayPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'baton-day-'));
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return { folder, port, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Starts Baton with its sandbox, as `npm start` does, but elsewhere. */
/** @param settings more environment */
export function startProgram({ folder, port }: DayPlace, settings: Readonly<Record<string, string>> = {}): Program {
  const child = spawn(process.execPath, ['src/main.ts'], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      BATON_PORT: String(port),
      BATON_MLLP_PORT: '0',
      BATON_DATABASE_URL: `sqlite:${join(folder, 'baton.db')}`,
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const trouble = (what: string) => new Error(`${what}\n${lines.join('\n')}\n${errors}`);
  const gone = exited.then(([code]) => {
    throw trouble(`The program ended with ${code}.`);
  });
  const printed = createInterface({ input: child.stdout });
  const lineWith = <T>(read: (line: string) => T | undefined): Promise<T> => {
    const found = Promise.withResolvers<T>();
    const giveUp = () => found.reject(trouble(`The program has printed nothing for ${LONGEST_SILENCE_MS / 1_000} s.`));
    const silence = setTimeout(giveUp, LONGEST_SILENCE_MS);
    const look = (line: string) => {
      silence.refresh();
      const value = read(line);
      if (value !== undefined) found.resolve(value);
    };
    printed.on('line', look);
    const first = Promise.race([found.promise, gone]).finally(() => {
      clearTimeout(silence);
      printed.off('line', look);
    });
    // A program that is killed on purpose leaves nobody waiting.
    first.catch(() => {});
    return first;
  };
  printed.on('line', (line) => lines.push(line));
  let token: string | undefined;
  return {
    printed: (count) => lineWith((line) => (lines.length >= count || line === LAST_LINE ? true : undefined)),
    baseUrl: lineWith((line) => /listening on (https?:\/\/\S+)/.exec(line)?.[1]),
    token: lineWith((line) => {
      token ??= /^\s*TOKEN=(\S+)/.exec(line)?.[1];
      return line === LAST_LINE ? token : undefined;
    }),
    lines,
    errors: () => errors,
    hangUp: () => child.kill('SIGHUP'),
    kill: () => end(child, exited, 'SIGKILL').then(() => {}),
    stop: () => end(child, exited, 'SIGTERM'),
  };
}

async function end(
  child: ChildProcess,
  exited: Promise<[number | null]>,
  signal: NodeJS.Signals,
): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  return (await exited)[0];
}

export interface Census {
  /** Resources by type in Baton, and in the EHR. */
  readonly baton: Readonly<Record<string, number>>;
  readonly ehr: Readonly<Record<string, number>>;
  /** Follow-ups (`patient step`) with status and clock, sorted, from each side. */
  readonly followUps: readonly string[];
  readonly ehrFollowUps: readonly string[];
  /** Identifiers that two resources of a type share, on either side. */
  readonly duplicates: readonly string[];
}

/** Every type that the day may leave behind. */
const TYPES = [
  'Organization',
  'Location',
  'Practitioner',
  'Patient',
  'RelatedPerson',
  'Encounter',
  'Condition',
  'EpisodeOfCare',
  'RiskAssessment',
  'CarePlan',
  'CareTeam',
  'Goal',
  'ServiceRequest',
  'Task',
];

/** Counts both servers through HTTP, as somebody with the printed token would. */
export async function takeCensus(baseUrl: string, token: string): Promise<Census> {
  const baton = await readAll(`${baseUrl}/fhir/R4`, token);
  const ehr = await readAll(`${baseUrl}/sandbox/ehr/hapi/R4`, token);
  return {
    baton: counts(baton),
    ehr: counts(ehr),
    followUps: followUpsOf(baton),
    ehrFollowUps: followUpsOf(ehr),
    duplicates: [...duplicatesIn(baton, 'baton'), ...duplicatesIn(ehr, 'ehr')],
  };
}

/** Every resource of every type that the day may leave behind. */
export async function readAll(fhirBase: string, token: string): Promise<Resource[]> {
  const all: Resource[] = [];
  for (const type of TYPES) {
    let url: string | undefined = `${fhirBase}/${type}?_count=200`;
    while (url) {
      const signal = AbortSignal.timeout(LONGEST_SILENCE_MS);
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal });
      if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
      const bundle = (await response.json()) as Bundle;
      for (const { resource } of bundle.entry ?? []) if (resource) all.push(resource);
      const next = bundle.link?.find(({ relation }) => relation === 'next')?.url;
      url = next && fhirBase + next.slice(next.indexOf('/R4/') + '/R4'.length);
    }
  }
  return all;
}

function counts(resources: readonly Resource[]): Record<string, number> {
  const table: Record<string, number> = {};
  for (const { resourceType } of resources) table[resourceType] = (table[resourceType] ?? 0) + 1;
  return table;
}

interface Identified {
  readonly identifier?: readonly { readonly system?: string; readonly value?: string }[];
}

/** Identifiers differ from run to run only in the episode, so the patient's record number stands for it. */
function followUpsOf(resources: readonly Resource[]): string[] {
  const recordNumber = new Map<string, string>(
    resources.flatMap((resource) =>
      resource.resourceType === 'Patient'
        ? [[`Patient/${resource.id}`, resource.identifier?.[0]?.value ?? ''] as const]
        : [],
    ),
  );
  const tasks = resources.filter((resource): resource is Task => resource.resourceType === 'Task');
  return tasks
    .flatMap((task) => {
      const key = task.identifier?.find(({ system }) => system === 'urn:baton:follow-up')?.value;
      const [, ...step] = key?.split('|') ?? [];
      const clock = task.businessStatus?.coding?.[0]?.code ?? '-';
      return key ? [`${recordNumber.get(task.for?.reference ?? '')} ${step.join('|')} ${task.status} ${clock}`] : [];
    })
    .sort();
}

function duplicatesIn(resources: readonly Resource[], where: string): string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  for (const resource of resources) {
    for (const { system, value } of (resource as Identified).identifier ?? []) {
      const key = `${where} ${resource.resourceType} ${system}|${value}`;
      if (seen.has(key)) twice.push(key);
      seen.add(key);
    }
  }
  return twice;
}
