// Somebody who is told by https what a program does that is killed meanwhile.
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Subscription } from '@medplum/fhirtypes';
import { GRAVITY, type Notified, read, wish } from '../subscriptions/notified.ts';
import { makeCertificate } from '../support/certificate.ts';

export interface Subscriber {
  /** For the environment of the program: it may tell this subscriber, and believes who it is. */
  readonly settings: Readonly<Record<string, string>>;
  subscription(filter: string): Subscription;
  /** When something like that has come. */
  heard(test: (notified: Notified) => boolean): Promise<unknown>;
  /** Of events, each where it came first. */
  numbers(): number[];
  close(): Promise<unknown>;
}

export async function startSubscriber(folder: string): Promise<Subscriber> {
  const { cert, key } = makeCertificate('subscriber');
  const heard: Notified[] = [];
  let tell: () => void = () => undefined;
  const server = createServer({ cert, key }, async (request, response) => {
    heard.push(read({ body: await text(request) }));
    response.end();
    tell();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [certificate, config] = [join(folder, 'subscriber.pem'), join(folder, 'baton.json')];
  await writeFile(certificate, cert);
  await writeFile(config, JSON.stringify({ subscriptions: { hosts: [host] } }));
  return {
    settings: { NODE_EXTRA_CA_CERTS: certificate, BATON_CONFIG: config },
    subscription: (filter) => wish({ url: `https://${host}/hook`, criteria: GRAVITY, filters: [filter] }),
    heard: (test) =>
      new Promise((resolve) => {
        tell = () => heard.some(test) && resolve(undefined);
        tell();
      }),
    numbers: () => [...new Set(heard.flatMap(({ numbers }) => numbers))],
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
