// `baton doctor`: whether this installation can work, one line for each thing that has to be right.
import { openKeys } from './access/keys.ts';
import type { App } from './app.ts';
import { type Config, describeDatabase, warningOfPlainHttp } from './config.ts';

/** @returns whether nothing is bad */
export async function doctor(app: App, config: Config, print: (text: string) => void): Promise<boolean> {
  let allGood = true;
  const say = (good: boolean, text: string) => {
    allGood &&= good;
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
  return allGood;
}
