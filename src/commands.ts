// The `baton` command. Each command is a row: what it takes, what it is for, what it does. Commands other than `serve`
// work on the database directly; they may run beside a serving Baton.
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { RegistrationError } from './access/oauth/registration.ts';
import { FULL_SCOPE } from './access/scopes.ts';
import { ACCESS_COMMANDS, type AccessCommandParts, type AccessOptions } from './access-commands.ts';
import { type App, build } from './app.ts';
import { AUDIT_COMMANDS, type AuditOptions } from './audit-commands.ts';
import { systemClock } from './clock.ts';
import { type Config, ConfigError, loadConfig } from './config.ts';
import { facilitiesOf } from './configured-facilities.ts';
import { CONNECTION_COMMANDS, type ConnectionCommandParts } from './connection-commands.ts';
import { DELIVERY_COMMANDS } from './delivery-commands.ts';
import { doctor } from './doctor.ts';
import { asFault, Fault } from './fault.ts';
import { FILE_COMMANDS } from './file-commands.ts';
import { FOLLOW_UP_COMMANDS } from './follow-up-commands.ts';
import { addGuides, type GuideCommandParts, listGuides, reindex, removeGuides } from './guide-commands.ts';
import { createLog } from './log.ts';
import { REHEARSAL_OPTIONS, rehearse } from './sandbox/ehr/simulator/rehearsal.ts';
import { serve } from './serve.ts';
import type { Actor } from './store/store.ts';
import { SYNC_COMMANDS, SYNC_OPTIONS, type SyncOptions } from './sync-commands.ts';
import { UsageError } from './usage-error.ts';

const OPERATOR: Actor = { reference: 'Device/baton-cli', kind: 'service' };

interface Command {
  readonly words: string;
  readonly does: string;
  run(app: App, words: readonly string[], options: Options): Promise<void>;
}

interface Options extends AccessOptions, AuditOptions, SyncOptions {
  readonly scope?: string | undefined;
  readonly minutes?: string | undefined;
  readonly patient?: string | undefined;
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
      await doctor(app, loadConfig(), print);
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
  ...FILE_COMMANDS.map(
    ({ words, does, run }): Command => ({
      words,
      does,
      run: (app, files) => run({ app, actor: OPERATOR, print }, files),
    }),
  ),
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
  ...AUDIT_COMMANDS.map(
    ({ words, does, run }): Command => ({
      words,
      does,
      run: ({ trail }, _, options) => run({ trail, print }, options),
    }),
  ),
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

/** Does what the command line says; what goes wrong is told on standard error, with exit code 1. */
export async function runCommand(): Promise<void> {
  // Who reads the output may have seen enough, as `head` has; that ends the command, and is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  try {
    await main();
  } catch (error) {
    tell(error);
    process.exitCode = 1;
  }
}

function tell(error: unknown): void {
  const known = [UsageError, ConfigError, Fault, RegistrationError].some((kind) => error instanceof kind);
  process.stderr.write(`${known ? (error as Error).message : (error as Error).stack}\n`);
  if (error instanceof Fault) {
    for (const { expression, details } of asFault(error).issues) {
      if (expression === undefined && details?.text === error.message) continue;
      process.stderr.write(`  ${expression?.[0] ?? ''} ${details?.text ?? ''}\n`);
    }
  }
  if (error instanceof UsageError) process.stderr.write('`npm run baton` lists the commands.\n');
}

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
