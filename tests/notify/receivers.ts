// Where notifications arrive in tests: a web server and a mail server, both real, which do as they are told.
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { makeCertificate } from '../support/certificate.ts';

export interface Posted {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export async function startHook() {
  const posted: Posted[] = [];
  const answers: number[] = [];
  let before: () => Promise<void> = async () => undefined;
  const server = createServer(async (request, response) => {
    posted.push({ headers: request.headers as Record<string, string>, body: await text(request) });
    await before();
    response.writeHead(answers.shift() ?? 204, { location: '/elsewhere' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    posted,
    /** The next answers; 204 afterwards. */
    answer: (...statuses: number[]) => void answers.splice(0, Infinity, ...statuses),
    beforeAnswer: (act: () => Promise<void>) => {
      before = act;
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

export async function startMail() {
  const mails: string[] = [];
  const { cert, key } = makeCertificate('mail');
  const server = new SMTPServer({
    secure: true,
    key,
    cert,
    authMethods: ['PLAIN'],
    onAuth: ({ username, password }, _session, done) =>
      done(username === 'baton' && password === 'secret' ? null : new Error('Refused'), { user: username }),
    onData(stream, { envelope }, done) {
      text(stream).then((mail) => {
        mails.push(`${envelope.rcptTo.map(({ address }) => address).join(',')}\n${mail}`);
        done();
      });
    },
  });
  // A client that does not trust the certificate hangs up.
  server.on('error', () => undefined);
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const caFile = join(await mkdtemp(join(tmpdir(), 'baton-mail-')), 'ca.pem');
  await writeFile(caFile, cert);
  return {
    settings: {
      kind: 'email',
      host: '127.0.0.1',
      port: (listening.address() as AddressInfo).port,
      secure: true,
      user: 'baton',
      password: 'secret',
      from: 'Baton <baton@hospital.example>',
      caFile,
    } as const,
    mails,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
