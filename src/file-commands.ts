// `baton import` and `baton validate`: FHIR resources in files, into the store or only looked at.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Resource } from '@medplum/fhirtypes';
import type { App } from './app.ts';
import { Fault } from './fault.ts';
import { readBundle } from './fhir/bundle.ts';
import type { Change } from './fhir/change.ts';
import { parseExact } from './fhir/exact-json.ts';
import type { Actor } from './store/store.ts';
import { UsageError } from './usage-error.ts';

const MAX_ENTRIES = 100_000;

export interface FileCommandParts {
  readonly app: Pick<App, 'store' | 'conformance' | 'pathwayIssues'>;
  readonly actor: Actor;
  readonly print: (text: string) => void;
}

export interface FileCommand {
  readonly words: string;
  readonly does: string;
  /** False when a file is not valid. */
  run(parts: FileCommandParts, files: readonly string[]): Promise<boolean>;
}

export const FILE_COMMANDS: readonly FileCommand[] = [
  {
    words: 'import',
    does: 'commit FILE…: transaction Bundles or single resources, JSON, also gzipped',
    async run({ app, actor, print }, files) {
      for (const file of someOf(files)) {
        const changes = changesIn(readJson(file));
        refuseWhatIsNotFromFiles(changes);
        const outcomes = await app.store.commit(actor, changes, [], { transaction: true });
        print(`${file}: ${outcomes.filter(({ written }) => written).length} of ${changes.length} resources written`);
      }
      return true;
    },
  },
  {
    words: 'validate',
    does: 'check FILE… against R4 and the profiles they claim; changes nothing',
    async run({ app, print }, files) {
      const resources = someOf(files).map((file) => readJson(file) as Resource);
      let allValid = true;
      for (const [index, file] of files.entries()) {
        const resource = resources[index] as Resource;
        const issues = [...app.conformance.validate(resource), ...app.pathwayIssues(resource, resources)];
        if (issues.some(({ severity }) => severity !== 'warning' && severity !== 'information')) allValid = false;
        print(`${file}: ${issues.length === 0 ? 'valid' : `${issues.length} issues`}`);
        for (const { severity, expression, details } of issues) {
          print(`  ${severity}  ${expression?.[0] ?? ''}  ${details?.text ?? ''}`);
        }
      }
      return allValid;
    },
  },
];

function someOf(files: readonly string[]): readonly string[] {
  if (files.length === 0) throw new UsageError('Name at least one file.');
  return files;
}

const NOT_FROM_FILES: Readonly<Record<string, string>> = {
  AuditEvent: 'AuditEvents cannot be imported: Baton keeps its own trail.',
  Subscription: 'Subscriptions cannot be imported: each is made over HTTP by whom it acts for.',
};

/** @throws Fault not-allowed for what would be stored and have no effect */
function refuseWhatIsNotFromFiles(changes: readonly Change[]): void {
  for (const change of changes) {
    const why = 'resource' in change ? NOT_FROM_FILES[change.resource.resourceType] : undefined;
    if (why !== undefined) throw new Fault('not-allowed', why);
  }
}

/** @throws Fault invalid for a Bundle that is not a transaction */
function changesIn(content: unknown): Change[] {
  const resource = content as Resource;
  if (resource.resourceType !== 'Bundle') {
    return [resource.id ? { op: 'update', resource } : { op: 'create', resource }];
  }
  const rules = { baseUrl: '', isType: () => true, maxEntries: MAX_ENTRIES };
  const { type, entries } = readBundle(content, rules);
  return entries.map((entry, index) => {
    if (type === 'transaction' && !(entry instanceof Fault) && entry.kind === 'change') return entry.change;
    throw new Fault('invalid', `Entry ${index} is not a change of a transaction; only those can be imported.`);
  });
}

function readJson(file: string): unknown {
  try {
    const bytes = readFileSync(file);
    return parseExact((file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'));
  } catch (error) {
    throw new UsageError(`${file} cannot be read as JSON: ${(error as Error).message}`);
  }
}
