// The `baton` command. Each command is a row: what it takes, what it is for, what it does. Commands other than `serve`
// work on the database directly; they may run beside a serving Baton.
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { RegistrationError } from './access/oauth/registration.ts';
import { FULL_SCOPE } from './access/scopes.ts';
import { ACCESS_COMMANDS, type AccessCommandParts, type AccessOptions } from './access-commands.ts';
import type { App } from './app.ts';
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
import { REHEARSAL_OPTIONS } from './sandbox/ehr/simulator/rehearsal-options.ts';
import type { Actor } from './store/store.ts';
import { SYNC_COMMANDS, SYNC_OPTIONS, type SyncOptions } from './sync-commands.ts';
import { SYNC_NOW_COMMANDS } from './sync-now-commands.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

const OPERATOR: Actor = { reference: 'Device/baton-cli', kind: 'service' };

interface Command {
  readonly words: string;
  readonly does: string;
  /** Means nothing before Baton has run: a database that is not there is another one than was meant, and is not made. */
  readonly onWhatIsThere?: boolean;
  /** False when what was looked at is not as it should be. */
  run(app: App, words: readonly string[], options: Options, terminal: Terminal): Promise<unknown>;
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
    async run(app, _, { scope = FULL_SCOPE, minutes = '60', patient }, { print }) {
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
      run: (app, rest, options, terminal) => run(accessParts(app, terminal), rest, options),
    }),
  ),
  {
    words: 'doctor',
    does: 'check that this installation can work',
    run: (app, _words, _options, { environment, print }) => doctor(app, loadConfig(environment), print),
  },
  ...SYNC_NOW_COMMANDS.map(
    ({ words, does, run }): Command => ({
      words,
      does,
      onWhatIsThere: true,
      run: ({ sync, store }, rest, _, { print }) =>
        run({ sync, audit: store.audit.bind(store), actor: OPERATOR, now: systemClock().real, print }, rest),
    }),
  ),
  ...CONNECTION_COMMANDS.map(
    ({ words, does, run }): Command => ({
      words,
      does,
      onWhatIsThere: words === 'connect mode',
      run: (app, rest, _, terminal) => run(connectionParts(app, terminal), rest),
    }),
  ),
  ...SYNC_COMMANDS.map(
    ({ words, does, run }): Command => ({
      words,
      does,
      onWhatIsThere: true,
      run: ({ sync, store }, rest, options, { print }) => run({ sync, store, actor: OPERATOR, print }, rest, options),
    }),
  ),
  ...DELIVERY_COMMANDS.map(
    ({ words, does, run }): Command => ({
      words,
      does,
      onWhatIsThere: true,
      run: ({ deliveries, store }, rest, options, { print }) =>
        run({ deliveries, store, actor: OPERATOR, print }, rest, options),
    }),
  ),
  ...FOLLOW_UP_COMMANDS.map(
    ({ words, does, run }): Command => ({
      words,
      does,
      onWhatIsThere: true,
      run: ({ store, conformance: { parameters }, transitions }, rest, options, { print }) =>
        run({ store, parameters, transitions, clock: systemClock(), actor: OPERATOR, print }, rest, options),
    }),
  ),
  ...FILE_COMMANDS.map(
    ({ words, does, run }): Command => ({
      words,
      does,
      run: (app, files, _, { print }) => run({ app, actor: OPERATOR, print }, files),
    }),
  ),
  {
    words: 'guide add',
    does: 'install FHIR packages: FILE.tgz or NAME@VERSION …',
    async run(app, sources, _, terminal) {
      if (sources.length === 0) throw usage('Name a .tgz file, or NAME@VERSION.');
      await addGuides(guideParts(app, terminal), sources);
    },
  },
  {
    words: 'guide list',
    does: 'list the installed guides',
    async run(app, _words, _options, terminal) {
      listGuides(guideParts(app, terminal));
    },
  },
  {
    words: 'guide remove',
    does: 'take NAME@VERSION … away',
    async run(app, labels, _, terminal) {
      if (labels.length === 0) throw usage('Name the guide, as NAME@VERSION.');
      await removeGuides(guideParts(app, terminal), labels);
    },
  },
  {
    words: 'reindex',
    does: 'index stored resources by new search parameters, instead of leaving it to a running Baton',
    run: (app, _words, _options, terminal) => reindex(guideParts(app, terminal)),
  },
  ...AUDIT_COMMANDS.map(
    ({ words, does, run }): Command => ({
      words,
      does,
      onWhatIsThere: true,
      run: ({ trail }, _, options, { print }) => run({ trail, print }, options),
    }),
  ),
  {
    words: 'backup',
    does: 'write a consistent copy of the database to FILE',
    onWhatIsThere: true,
    async run(app, [file], _, { print }) {
      if (!file) throw usage('Name the file to write.');
      await app.store.backup(file);
      app.store.audit({ actor: OPERATOR, interaction: 'export', action: 'R', status: 200, query: 'backup' });
      print(`Written to ${file}.`);
    },
  },
  {
    words: 'migrate',
    does: 'bring the database schema up to date',
    async run(_app, _words, _options, { print }) {
      print('The database is up to date.');
    },
  },
];

/** Does what the command line says and tells what goes wrong. @returns whether all is well */
export async function runCommand(terminal: Terminal): Promise<boolean> {
  try {
    return await main(terminal);
  } catch (error) {
    tell(error, terminal.complain);
    return false;
  }
}

function tell(error: unknown, complain: Terminal['complain']): void {
  const known = [UsageError, ConfigError, Fault, RegistrationError].some((kind) => error instanceof kind);
  complain(`${known ? (error as Error).message : (error as Error).stack}\n`);
  if (error instanceof Fault) {
    for (const { expression: [place] = [], details } of asFault(error).issues) {
      const isSaid = details?.text === error.message;
      const isNamed = place === undefined || error.message.startsWith(place.split('.').at(-1) ?? '');
      if (isSaid && isNamed) continue;
      complain(`  ${[place, isSaid ? '' : details?.text].filter(Boolean).join(' ')}\n`);
    }
  }
  if (error instanceof UsageError) complain('`npm run baton` lists the commands.\n');
}

/** Loads what the words ask for and no more, because most of a short command's time is loading. */
async function main(terminal: Terminal): Promise<boolean> {
  const { values, positionals } = readArguments(terminal.words);
  if (positionals.length === 0 || values.help) return help(terminal.print);
  if (positionals[0] === 'serve') {
    const { serve } = await import('./serve.ts');
    await serve();
    return true;
  }
  if (positionals.join(' ') === 'sandbox ehr') {
    const { rehearse } = await import('./sandbox/ehr/simulator/rehearsal.ts');
    await rehearse(values, terminal.print);
    return true;
  }
  const command = COMMANDS.find(({ words }) => `${positionals.join(' ')} `.startsWith(`${words} `));
  if (!command) throw usage(`There is no command "${positionals.join(' ')}".`);
  const config = loadConfig(terminal.environment);
  if (command.onWhatIsThere) requireDatabase(config);
  const app = await open(config, terminal);
  try {
    const rest = positionals.slice(command.words.split(' ').length);
    return (await command.run(app, rest, values, terminal)) !== false;
  } finally {
    await app.close();
  }
}

/** @throws ConfigError */
function requireDatabase({ databaseUrl }: Config): void {
  const path = /^sqlite:(?!:memory:$)(.+)$/.exec(databaseUrl)?.[1];
  if (path === undefined || existsSync(path)) return;
  const where = 'BATON_DATABASE_URL names it, and a relative path begins where the command is run';
  throw new ConfigError(
    `There is no database at ${path} yet, and nothing was done: ${where}. \`npm start\` makes one.`,
  );
}

function readArguments(words: readonly string[]) {
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
    return parseArgs({ args: [...words], allowPositionals: true, options });
  } catch (error) {
    throw usage((error as Error).message);
  }
}

/** Everything but the doors and the sandbox, which belong to the serving process; its hospital is known here too. */
async function open(config: Config, { log: destination, print }: Terminal): Promise<App> {
  const { build } = await import('./app.ts');
  const log = createLog(config.logLevel === 'info' ? 'warn' : config.logLevel, destination);
  const port = config.port === 0 ? 8080 : config.port;
  return build(
    { ...config, port, facilities: facilitiesOf(config), sandbox: false },
    { clock: systemClock(), fetch: globalThis.fetch, log, write: print },
  );
}

function guideParts(app: App, { environment, print }: Terminal): GuideCommandParts {
  const registry = { url: loadConfig(environment).packageRegistry, fetch: globalThis.fetch };
  return { app, actor: OPERATOR, clock: systemClock(), registry, print };
}

const connectionParts = ({ sync, store }: App, { print }: Terminal): ConnectionCommandParts => ({
  sync,
  actor: OPERATOR,
  audit: store.audit.bind(store),
  print,
});

const accessParts = ({ authorization, store }: App, { input, print }: Terminal): AccessCommandParts => ({
  authorization,
  actor: OPERATOR,
  audit: store.audit.bind(store),
  input,
  print,
});

const usage = (sentence: string) => new UsageError(sentence);

function help(print: Terminal['print']): true {
  print('baton COMMAND\n');
  print('  serve           run Baton (what npm start does)');
  print(
    '  sandbox ehr     run a simulated server to rehearse with   [--vendor epic|oracle|hapi] [--port 9000] [--open] …',
  );
  for (const { words, does } of COMMANDS) print(`  ${words.padEnd(15)} ${does}`);
  print('\nSettings come from the environment and the file in BATON_CONFIG; the README lists them.');
  return true;
}
