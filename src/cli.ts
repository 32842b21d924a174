// The `baton` command. Each command is a row: what it takes, what it is for, what it does. Commands other than `serve`
// work on the database directly; they may run beside a serving Baton.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import type { Resource } from '@medplum/fhirtypes';
import { pino } from 'pino';
import { openKeys } from './access/keys.ts';
import { RegistrationError } from './access/oauth/registration.ts';
import { FULL_SCOPE } from './access/scopes.ts';
import { ACCESS_COMMANDS, type AccessCommandParts, type AccessOptions } from './access-commands.ts';
import { type App, build, facilitiesOf } from './app.ts';
import { systemClock } from './clock.ts';
import { type Config, ConfigError, describeDatabase, loadConfig, warningOfPlainHttp } from './config.ts';
import { CONNECTION_COMMANDS, type ConnectionCommandParts } from './connection-commands.ts';
import { DELIVERY_COMMANDS } from './delivery-commands.ts';
import { asFault, Fault } from './fault.ts';
import { readBundle } from './fhir/bundle.ts';
import type { Change } from './fhir/change.ts';
import { parseExact } from './fhir/exact-json.ts';
import { FOLLOW_UP_COMMANDS } from './follow-up-commands.ts';
import { addGuides, type GuideCommandParts, listGuides, reindex, removeGuides } from './guide-commands.ts';
import { createLog } from './log.ts';
import { REHEARSAL_OPTIONS, rehearse } from './sandbox/ehr/simulator/rehearsal.ts';
import { serve } from './serve.ts';
import type { Actor } from './store/store.ts';
import { SYNC_COMMANDS, SYNC_OPTIONS, type SyncOptions } from './sync-commands.ts';

const OPERATOR: Actor = { reference: 'Device/baton-cli', kind: 'service' };
const MAX_ENTRIES = 100_000;

interface Command {
  readonly words: string;
  readonly does: string;
  run(app: App, words: readonly string[], options: Options): Promise<void>;
}

interface Options extends AccessOptions, SyncOptions {
  readonly scope?: string | undefined;
  readonly minutes?: string | undefined;
  readonly patient?: string | undefined;
  readonly from?: string | undefined;
}

const COMMANDS: readonly Command[] = [
  {
    words: 'token',
    does: 'print an access token   [--scope "system/*.rs"] [--minutes 60] [--patient ID]',
    async run(app, _, { scope = FULL_SCOPE, minutes = '60', patient }) {
      const lifetimeSeconds = Math.round(Number(minutes) * 60);
      if (!(lifetimeSeconds >= 1 && lifetimeSeconds <= 86_400)) throw usage('--minutes must be from 1 to 1440.');
      print(await app.access.issue({ clientId: 'console', scope, lifetimeSeconds, ...(patient ? { patient } : {}) }));
      const query = new URLSearchParams({ client_id: 'console', scope }).toString();
      app.store.audit({ actor: OPERATOR, interaction: 'login', action: 'E', status: 200, query });
    },
  },
  ...ACCESS_COMMANDS.map(
    ({ words, does, run }): Command => ({
      words,
      does,
      run: (app, rest, options) => run(accessParts(app), rest, options),
    }),
  ),
  {
    words: 'doctor',
    does: 'check that this installation can work',
    async run(app) {
      await doctor(app);
    },
  },
  {
    words: 'sync push',
    does: 'send what is due   [NAME]',
    async run(app, [name]) {
      await app.sync.pushNow(name);
      print(JSON.stringify(await app.sync.status(), null, 2));
    },
  },
  {
    words: 'sync pull',
    does: 'fetch what is new   [NAME]',
    async run(app, [name]) {
      await app.sync.pullNow(name);
      print(JSON.stringify(await app.sync.status(), null, 2));
    },
  },
  ...CONNECTION_COMMANDS.map(
    ({ words, does, run }): Command => ({
      words,
      does,
      async run(app, rest) {
        if ((await run(connectionParts(app), rest)) === false) process.exitCode = 1;
      },
    }),
  ),
  ...SYNC_COMMANDS.map(
    ({ words, does, run }): Command => ({
      words,
      does,
      run: (app, rest, options) => run({ sync: app.sync, store: app.store, actor: OPERATOR, print }, rest, options),
    }),
  ),
  ...DELIVERY_COMMANDS.map(
    ({ words, does, run }): Command => ({
      words,
      does,
      run: ({ deliveries, store }, rest, options) => run({ deliveries, store, actor: OPERATOR, print }, rest, options),
    }),
  ),
  ...FOLLOW_UP_COMMANDS.map(
    ({ words, does, run }): Command => ({
      words,
      does,
      run: ({ store, conformance: { parameters }, transitions }, rest, options) =>
        run({ store, parameters, transitions, clock: systemClock(), actor: OPERATOR, print }, rest, options),
    }),
  ),
  {
    words: 'import',
    does: 'commit FILE…: transaction Bundles or single resources, JSON, also gzipped',
    async run(app, files) {
      if (files.length === 0) throw usage('Name at least one file.');
      for (const file of files) {
        const changes = changesIn(readJson(file));
        refuseAuditEvents(changes);
        const outcomes = await app.store.commit(OPERATOR, changes, [], { transaction: true });
        print(`${file}: ${outcomes.filter(({ written }) => written).length} of ${changes.length} resources written`);
      }
    },
  },
  {
    words: 'validate',
    does: 'check FILE… against R4 and the profiles they claim; changes nothing',
    async run(app, files) {
      if (files.length === 0) throw usage('Name at least one file.');
      const resources = files.map((file) => readJson(file) as Resource);
      for (const [index, file] of files.entries()) {
        const resource = resources[index] as Resource;
        const issues = [...app.conformance.validate(resource), ...app.pathwayIssues(resource, resources)];
        if (issues.some(({ severity }) => severity !== 'warning' && severity !== 'information')) process.exitCode = 1;
        print(`${file}: ${issues.length === 0 ? 'valid' : `${issues.length} issues`}`);
        for (const { severity, expression, details } of issues) {
          print(`  ${severity}  ${expression?.[0] ?? ''}  ${details?.text ?? ''}`);
        }
      }
    },
  },
  {
    words: 'guide add',
    does: 'install FHIR packages: FILE.tgz or NAME@VERSION …',
    async run(app, sources) {
      if (sources.length === 0) throw usage('Name a .tgz file, or NAME@VERSION.');
      await addGuides(guideParts(app), sources);
    },
  },
  {
    words: 'guide list',
    does: 'list the installed guides',
    async run(app) {
      listGuides(guideParts(app));
    },
  },
  {
    words: 'guide remove',
    does: 'take NAME@VERSION … away',
    async run(app, labels) {
      if (labels.length === 0) throw usage('Name the guide, as NAME@VERSION.');
      await removeGuides(guideParts(app), labels);
    },
  },
  {
    words: 'reindex',
    does: 'index stored resources by new search parameters, instead of leaving it to a running Baton',
    async run(app) {
      await reindex(guideParts(app));
    },
  },
  {
    words: 'audit verify',
    does: 'prove the audit trail, or say where it was tampered with   [--from FILE of seals kept elsewhere]',
    async run(app, _, { from }) {
      await verify(app, from);
    },
  },
  {
    words: 'audit seal',
    does: 'seal the audit trail now and print the newest seal, to be kept elsewhere',
    async run(app) {
      await app.trail.seal();
      const seal = await app.trail.newest();
      if (seal === undefined) throw new Fault('not-found', 'There is nothing to seal yet.');
      print(seal);
    },
  },
  {
    words: 'backup',
    does: 'write a consistent copy of the database to FILE',
    async run(app, [file]) {
      if (!file) throw usage('Name the file to write.');
      await app.store.backup(file);
      app.store.audit({ actor: OPERATOR, interaction: 'export', action: 'R', status: 200, query: 'backup' });
      print(`Written to ${file}.`);
    },
  },
  {
    words: 'migrate',
    does: 'bring the database schema up to date',
    async run() {
      print('The database is up to date.');
    },
  },
];

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  if (positionals.length === 0 || values.help) return help();
  if (positionals[0] === 'serve') return serve();
  if (positionals.join(' ') === 'sandbox ehr') return rehearse(values, print);
  const command = COMMANDS.find(({ words }) => `${positionals.join(' ')} `.startsWith(`${words} `));
  if (!command) throw usage(`There is no command "${positionals.join(' ')}".`);
  const app = await open(loadConfig());
  try {
    await command.run(app, positionals.slice(command.words.split(' ').length), values);
  } finally {
    await app.close();
  }
}

function readArguments() {
  const text = { type: 'string' } as const;
  const yes = { type: 'boolean' } as const;
  const client = {
    name: text,
    redirect: { ...text, multiple: true },
    launch: text,
    jwks: text,
    'jwks-url': text,
  } as const;
  const options = {
    ...{ scope: text, minutes: text, patient: text, from: text, 'fhir-user': text, public: yes, trusted: yes },
    ...client,
    ...SYNC_OPTIONS,
    ...REHEARSAL_OPTIONS,
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    throw usage((error as Error).message);
  }
}

/** Everything but the doors and the sandbox, which belong to the serving process; its hospital is known here too. */
async function open(config: Config): Promise<App> {
  const log = createLog(config.logLevel === 'info' ? 'warn' : config.logLevel, pino.destination(2));
  const port = config.port === 0 ? 8080 : config.port;
  return build(
    { ...config, port, facilities: facilitiesOf(config), sandbox: false },
    { clock: systemClock(), fetch: globalThis.fetch, log, write: print },
  );
}

function guideParts(app: App): GuideCommandParts {
  const registry = { url: loadConfig().packageRegistry, fetch: globalThis.fetch };
  return { app, actor: OPERATOR, clock: systemClock(), registry, print };
}

const connectionParts = ({ sync, store }: App): ConnectionCommandParts => ({
  sync,
  actor: OPERATOR,
  audit: store.audit.bind(store),
  print,
});

const accessParts = ({ authorization, store }: App): AccessCommandParts => ({
  authorization,
  actor: OPERATOR,
  audit: store.audit.bind(store),
  input: process.stdin,
  print,
});

async function doctor(app: App): Promise<void> {
  const config = loadConfig();
  const say = (good: boolean, text: string) => {
    if (!good) process.exitCode = 1;
    print(`${good ? 'ok  ' : 'BAD '} ${text}`);
  };
  say(true, `Node ${process.version}`);
  say(
    await app.store.ready(),
    `database ${describeDatabase(config.databaseUrl)} can be written; ${await app.store.head()} versions in the log`,
  );
  const { verified, seals, reason } = await app.trail.verify();
  say(reason === undefined, reason ?? `audit trail: ${verified} records and ${seals} seals verified`);
  const { jwks } = await openKeys(config.databaseUrl === 'sqlite::memory:' ? undefined : config.dataDir);
  say(jwks.keys.length > 0, `keys: ${jwks.keys.length} published`);
  const exposed = warningOfPlainHttp(config);
  say(exposed === undefined, exposed ?? `transport: ${config.tls ? 'TLS' : 'HTTP on loopback or behind a proxy'}`);
  say(config.auth === 'smart', config.auth === 'smart' ? 'authentication is on' : 'authentication is OFF');
  say(
    config.facilities.length > 0 || config.sandbox,
    `facilities: ${config.facilities.map(({ code }) => code).join(', ') || 'none'}`,
  );
  for (const { issuer, good, sentence } of await app.access.checkIssuers()) say(good, `issuer ${issuer}: ${sentence}`);
  for (const { name, mode, breaker, openConflicts } of await app.sync.status()) {
    say(breaker.state === 'closed', `connection ${name}: ${mode}, ${breaker.state}, ${openConflicts} conflicts open`);
  }
}

/** @param from file with a seal on each line, as `audit seal` prints them or as in audit-seals.jsonl */
async function verify(app: App, from: string | undefined): Promise<void> {
  const lines = from === undefined ? [] : readText(from).split('\n').filter(Boolean);
  const kept = lines.map((line) => (line.startsWith('{') ? String(JSON.parse(line).jws) : line.trim()));
  const { verified, seals, unsealed, reason } = await app.trail.verify(kept);
  print(`${verified} records and ${seals} seals verified; ${unsealed} records are not sealed yet`);
  if (kept.length > 0 && reason === undefined) print(`${kept.length} seals kept elsewhere agree`);
  if (reason === undefined) return;
  print(`The audit trail is broken. ${reason}`);
  process.exitCode = 1;
}

/** @throws Fault not-allowed: the trail is Baton's own, and what is stored beside it would never be seen */
function refuseAuditEvents(changes: readonly Change[]): void {
  const isOne = (change: Change) => 'resource' in change && change.resource.resourceType === 'AuditEvent';
  if (changes.some(isOne)) throw new Fault('not-allowed', 'AuditEvents cannot be imported: Baton keeps its own trail.');
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw usage(`${file} cannot be read: ${(error as Error).message}`);
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
    throw usage(`${file} cannot be read as JSON: ${(error as Error).message}`);
  }
}

class UsageError extends Error {}

const usage = (sentence: string) => new UsageError(sentence);

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function help(): void {
  print('baton COMMAND\n');
  print('  serve           run Baton (what npm start does)');
  print(
    '  sandbox ehr     run a simulated server to rehearse with   [--vendor epic|oracle|hapi] [--port 9000] [--open] …',
  );
  for (const { words, does } of COMMANDS) print(`  ${words.padEnd(15)} ${does}`);
  print('\nSettings come from the environment and the file in BATON_CONFIG; the README lists them.');
}

try {
  await main();
} catch (error) {
  const known = [UsageError, ConfigError, Fault, RegistrationError].some((kind) => error instanceof kind);
  process.stderr.write(`${known ? (error as Error).message : (error as Error).stack}\n`);
  if (error instanceof Fault) {
    for (const { expression, details } of asFault(error).issues) {
      process.stderr.write(`  ${expression?.[0] ?? ''} ${details?.text ?? ''}\n`);
    }
  }
  if (error instanceof UsageError) process.stderr.write('`npm run baton` lists the commands.\n');
  process.exitCode = 1;
}
