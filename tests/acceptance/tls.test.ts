// Baton started with a certificate, as an operator does it.
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificate.ts';
import { type DayPlace, newDayPlace, type Program, startProgram } from './sandbox-day.ts';

let place: DayPlace;
let program: Program;

beforeAll(async () => {
  place = await newDayPlace();
});
afterAll(async () => {
  await program?.kill();
  await place.remove();
});

const certify = (name: string) => {
  const { cert, key } = makeCertificate(name);
  writeFileSync(join(place.folder, 'cert.pem'), cert);
  writeFileSync(join(place.folder, 'key.pem'), key, { mode: 0o600 });
};

/** Common name of the certificate that is shown. */
async function shown(): Promise<string | undefined> {
  const socket = connect({ host: '127.0.0.1', port: place.port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const subject = socket.getPeerX509Certificate()?.subject;
  socket.destroy();
  return subject;
}

it('listens on https, without the sandbox, and takes a renewed certificate at SIGHUP', async () => {
  certify('first');
  program = startProgram(place, {
    BATON_TLS_CERT: join(place.folder, 'cert.pem'),
    BATON_TLS_KEY: join(place.folder, 'key.pem'),
    BATON_LOG_LEVEL: 'info',
  });
  expect(await program.baseUrl).toBe(`https://127.0.0.1:${place.port}`);
  expect(await shown()).toBe('CN=first');
  certify('second');
  program.hangUp();
  await expect.poll(() => program.errors()).toContain('certificates renewed');
  expect(await shown()).toBe('CN=second');
  writeFileSync(join(place.folder, 'cert.pem'), 'broken');
  program.hangUp();
  await expect.poll(() => program.errors()).toContain('the old ones stay in use');
  expect(await shown()).toBe('CN=second');
  expect(await program.stop()).toBe(0);
});

it('warns in one sentence when the network would see everything', async () => {
  program = startProgram(place, { BATON_HOST: '0.0.0.0', BATON_SANDBOX: 'off' });
  await program.baseUrl;
  await expect.poll(() => program.errors()).toContain('Baton listens on 0.0.0.0 without TLS');
  await program.stop();
  program = startProgram(place, {
    BATON_HOST: '0.0.0.0',
    BATON_SANDBOX: 'off',
    BATON_BASE_URL: 'https://baton.example',
  });
  await program.baseUrl;
  await program.stop();
  expect(program.errors()).not.toContain('without TLS');
});
