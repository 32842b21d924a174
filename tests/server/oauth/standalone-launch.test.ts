// Standalone launch: the application begins, a person signs in, picks a patient and allows it.
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, launch, read, SCOPE, STATE } from './app.ts';

import { openWorld, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

describe('a standalone launch', () => {
  it('of a public application ends with a token for the chosen patient', async () => {
    const launched = await launch(world);
    expect(launched.url.searchParams.get('state')).toBe(STATE);
    expect(launched.url.searchParams.get('iss')).toBe(world.base);
    const answer = await exchange(world, launched);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.json).toMatchObject({
      token_type: 'Bearer',
      expires_in: 3600,
      patient: 'p1',
      need_patient_banner: true,
    });
    expect(answer.json.scope.split(' ').sort()).toEqual(SCOPE.split(' ').sort());
    expect(await read(world, answer.json.access_token)).toBe(200);
    expect(await read(world, answer.json.access_token, '/Patient/p2')).toBe(404);
    const keys = createRemoteJWKSet(new URL(`${world.base}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(String(answer.json.id_token), keys, { issuer: world.base, audience: 'public' });
    expect(payload).toMatchObject({ fhirUser: `${world.fhirBase}/Practitioner/dr1` });
  });
});
