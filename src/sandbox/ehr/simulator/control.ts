// The door for who runs the simulated server: turns its knobs, moves its clock, and does what only a hospital does to its
// data. It asks for a key of its own, never for a client's token.
import { timingSafeEqual } from 'node:crypto';
import type { Bundle, Resource } from '@medplum/fhirtypes';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { asFault, Fault, outcomeOf } from '../../../fault.ts';
import type { Ehr } from './ehr.ts';
import { quietKnobs, turnKnobs } from './knobs.ts';
import { mergePatients } from './merge-patients.ts';
import type { Image } from './records.ts';

export interface ControlOptions {
  readonly ehr: Ehr;
  readonly key: string;
  /** `METHOD Type` to how often it was asked. */
  readonly asked: ReadonlyMap<string, number>;
  readonly expireTokens: () => void;
  /** Moves the server's clock forward. */
  readonly advance: (duration: Temporal.Duration) => void;
}

export async function mountControl(app: FastifyInstance, options: ControlOptions): Promise<void> {
  const { ehr, key, asked } = options;
  let image: Image | undefined;
  const status = () => ({
    vendor: ehr.vendor,
    now: Temporal.Instant.fromEpochMilliseconds(ehr.now()).toString(),
    knobs: ehr.knobs,
    resources: ehr.records.counts(),
    asked: Object.fromEntries(asked),
  });
  const act = (path: string, work: (body: Record<string, unknown>) => void) =>
    app.post(`/control/${path}`, async (request) => {
      work(bodyOf(request));
      return status();
    });

  await app.register(async (scope) => {
    scope.setErrorHandler((error, _request, reply) => {
      const fault = asFault(error);
      return reply.code(fault.status).send(outcomeOf(fault));
    });
    scope.addHook('onRequest', async (request) => requireKey(request, key));
    app = scope;
    scope.get('/control', async () => status());
    scope.put('/control/knobs', async (request) => {
      turnKnobs(ehr.knobs, bodyOf(request));
      return status();
    });
    scope.put('/control/resources', async (request) => ({ written: load(ehr, resourcesOf(bodyOf(request))) }));
    scope.delete<{ Params: { type: string; id: string } }>('/control/resources/:type/:id', async ({ params }) => {
      if (ehr.records.newest(params.type, params.id)?.resource === undefined) {
        throw new Fault('not-found', `${params.type}/${params.id} is not here.`);
      }
      ehr.records.write(params.type, params.id, undefined);
      return status();
    });
    act('quiet', () => Object.assign(ehr.knobs, quietKnobs()));
    act('clock', ({ advance }) => options.advance(durationOf(advance)));
    act('expire-tokens', options.expireTokens);
    act('expire-pages', () => ehr.pages.forget());
    act('wipe', () => ehr.records.wipe());
    act('snapshot', () => {
      image = ehr.records.image();
    });
    act('restore', () => {
      if (!image) throw new Fault('conflict', 'There is no snapshot to restore. POST /control/snapshot first.');
      ehr.records.restore(image);
    });
    act('merge', ({ from, to }) => mergePatients(ehr, String(from), String(to)));
  });
}

/**
 * Writes as the hospital does, past the rules for clients. Types that the vendor does not keep are left out.
 * @returns `Type/id` of what was written
 */
export function load(ehr: Ehr, resources: readonly Resource[]): string[] {
  const kept = new Set(ehr.abilities.types());
  return resources
    .filter(({ resourceType }) => kept.has(resourceType))
    .map((resource) => {
      const id = resource.id ?? ehr.newId();
      const { versionId: _, lastUpdated: __, ...meta } = resource.meta ?? {};
      const { meta: ___, ...rest } = resource;
      const clean = { ...rest, id, ...(Object.keys(meta).length > 0 ? { meta } : {}) } as Resource;
      ehr.records.write(resource.resourceType, id, clean);
      return `${resource.resourceType}/${id}`;
    });
}

/** A resource, or what is in a Bundle. @throws Fault invalid */
export function resourcesOf(body: unknown): Resource[] {
  const resource = body as Resource;
  if (typeof resource?.resourceType !== 'string') throw new Fault('invalid', 'This is no FHIR resource.');
  if (resource.resourceType !== 'Bundle') return [resource];
  return ((resource as Bundle).entry ?? []).flatMap((entry) => entry.resource ?? []);
}

function requireKey({ headers }: FastifyRequest, key: string): void {
  const given = Buffer.from(headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${key}`);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw new Fault('unauthenticated', 'The control door needs the key that was printed at the start.');
  }
}

function bodyOf({ body }: FastifyRequest): Record<string, unknown> {
  try {
    return JSON.parse(String(body || '{}')) as Record<string, unknown>;
  } catch (cause) {
    throw new Fault('invalid', 'The body is not JSON.', { cause });
  }
}

function durationOf(text: unknown): Temporal.Duration {
  try {
    return Temporal.Duration.from(String(text));
  } catch (cause) {
    throw new Fault('invalid', 'Send for example {"advance":"PT10M"}.', { cause });
  }
}
