// Runs Baton until it is told to stop: SIGTERM or SIGINT refuses new work, finishes what is in flight and exits 0.
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import closeWithGrace from 'close-with-grace';
import { type Logger, pino } from 'pino';
import type { App } from './app.ts';
import { systemClock } from './clock.ts';
import { type Config, ConfigError, loadConfig, warningOfPlainHttp } from './config.ts';
import { Fault } from './fault.ts';
import { createLog } from './log.ts';
import { openSandboxClock } from './sandbox/sandbox-clock.ts';

const STOP_WITHIN_MS = 9_000;

/** Resolves when Baton is up. Exits with 1 and a sentence when it cannot start. */
export async function serve(): Promise<void> {
  try {
    const settings = loadConfig();
    const config = settings.port === 0 ? { ...settings, port: await freePort(settings) } : settings;
    // Only now, so that who wrote a wrong setting need not wait for the program to be loaded.
    const { build } = await import('./app.ts');
    const log = createLog(config.logLevel, pino.destination({ fd: 2, sync: false }));
    const memory = config.databaseUrl === 'sqlite::memory:';
    const clock = config.sandbox ? openSandboxClock(memory ? undefined : config.dataDir) : systemClock();
    const write = (text: string) => process.stdout.write(text);
    const app = await build(config, { clock, fetch: globalThis.fetch, log, write });
    // Of a server without certificates SIGHUP is the end, as of any other program.
    const skip = config.tls ? (['SIGHUP'] as const) : [];
    closeWithGrace({ delay: STOP_WITHIN_MS, logger: false, skip: [...skip] }, async ({ err, signal }) => {
      if (err) log.fatal({ err }, 'Baton stops because of an error that nothing caught');
      else log.info({ signal }, 'Baton stops');
      await app.close();
    });
    if (config.tls) process.on('SIGHUP', () => renewCertificates(app, log));
    await app.start();
    const warning = warningOfPlainHttp(config);
    if (warning) log.warn(warning);
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exit(1);
  }
}

/** A certificate that cannot be read must not stop what works: the old one stays, and the log says why. */
function renewCertificates(app: App, log: Logger): void {
  try {
    app.renewCertificates();
    log.info('certificates renewed');
  } catch (error) {
    log.error({ err: error }, 'the certificates were not renewed; the old ones stay in use');
  }
}

/**
 * A free port, the one of the last start when it still is: links and identifiers carry it, and would change with it.
 */
async function freePort({ host, dataDir, databaseUrl }: Config): Promise<number> {
  const memory = databaseUrl === 'sqlite::memory:';
  const file = join(dataDir, 'port');
  const port = (await canListen(host, memory ? 0 : lastPort(file))) ?? (await canListen(host, 0));
  if (port === undefined) throw new ConfigError(`No port can be opened on ${host}.`);
  if (!memory) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    writeFileSync(file, String(port));
  }
  return port;
}

function lastPort(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    return 0;
  }
}

async function canListen(host: string, port: number): Promise<number | undefined> {
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, 'listening');
    const { port: found } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, 'close');
    return found;
  } catch {
    return undefined;
  }
}

/** For the person at the terminal: a sentence when Baton knows what is wrong, the whole error when it does not. */
function explain(error: unknown): string {
  if (error instanceof ConfigError || error instanceof Fault) return `Baton cannot start: ${error.message}`;
  const { code, port, address } = error as NodeJS.ErrnoException & { port?: number; address?: string };
  if (code === 'EADDRINUSE') {
    return `Baton cannot start: ${address}:${port} is in use. Stop what uses it, or set BATON_PORT or BATON_MLLP_PORT.`;
  }
  return `Baton cannot start: ${error instanceof Error ? error.stack : String(error)}`;
}
