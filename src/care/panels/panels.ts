// All panels and scoring methods, read once from profiles/.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Group } from '@medplum/fhirtypes';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { Fault } from '../../fault.ts';
import { type Panel, readPanel } from './panel.ts';
import { MethodFile, readMethod, type ScoringMethod } from './scoring-method.ts';

export interface Panels {
  readonly panels: readonly Panel[];
  /** Every method, whether a panel uses it or not. */
  readonly methods: readonly ScoringMethod[];
  /** Another one when a rule has changed. */
  readonly fingerprint: string;
}

export const NO_PANELS: Panels = { panels: [], methods: [], fingerprint: '' };

/**
 * @param folder profiles/, with `groups` and `stratification`
 * @throws Fault unprocessable naming the file and the expression at fault
 */
export function loadPanels(folder: string): Panels {
  const check = new Ajv2020({ allErrors: false }).compile(MethodFile);
  const methodFiles = readFolder(join(folder, 'stratification'));
  const methods = methodFiles.map(({ path, value }) => {
    if (check(value)) return readMethod(path, value as Parameters<typeof readMethod>[1]);
    const [error] = check.errors ?? [];
    throw new Fault('unprocessable', `${path}: ${error?.instancePath || 'the method'} ${error?.message}.`);
  });
  refuseTwice('scoring methods', methods);
  const byCode = new Map(methods.map((method) => [method.code, method]));
  const groupFiles = readFolder(join(folder, 'groups'));
  const panels = groupFiles.map(({ path, value }) => readPanel(path, value as Group, byCode));
  refuseTwice('panels', panels);
  const hash = createHash('sha256');
  for (const { value } of [...methodFiles, ...groupFiles]) hash.update(JSON.stringify(value));
  return { panels, methods, fingerprint: hash.digest('hex').slice(0, 32) };
}

function readFolder(folder: string): { path: string; value: unknown }[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => {
    const path = join(folder, name);
    try {
      return { path, value: JSON.parse(readFileSync(path, 'utf8')) as unknown };
    } catch (cause) {
      throw new Fault('unprocessable', `${path} is not JSON.`, { cause });
    }
  });
}

function refuseTwice(what: string, all: readonly { readonly code: string }[]): void {
  const twice = all.find(({ code }, index) => all.findIndex((other) => other.code === code) !== index);
  if (twice) throw new Fault('unprocessable', `Two ${what} have the code ${twice.code}.`);
}
