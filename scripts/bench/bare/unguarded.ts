// Baton without authentication, authorization and audit, for the benchmark only: the same requests at the same database,
// so that what the three cost can be told. No setting of Baton does this.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { pino } from 'pino';
import { build } from '../../../src/app.ts';
import { systemClock } from '../../../src/clock.ts';
import { loadConfig } from '../../../src/config.ts';

const probe = createServer().listen(0, '127.0.0.1');
await once(probe, 'listening');
const { port } = probe.address() as AddressInfo;
await new Promise((resolve) => probe.close(resolve));

const app = await build(loadConfig({ ...process.env, BATON_AUTH: 'off', BATON_PORT: String(port) }), {
  clock: systemClock(),
  fetch: globalThis.fetch,
  log: pino({ level: 'error' }, pino.destination(2)),
  write: (text) => process.stdout.write(text),
});
Object.assign(app.store, { audit: () => {} });
await app.start();
process.once('SIGTERM', () => app.close().then(() => process.exit(0)));
