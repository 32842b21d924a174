// What comes with Baton, but for the protocols of transitions: three short ones that stay as they are, for tests of how any
// protocol is carried out. What the shipped ones hold is tested in protocols.test.ts.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Resource } from '@medplum/fhirtypes';
import { artifacts } from '../care/artifacts.ts';

const FOLDER = join(import.meta.dirname, 'plain-protocols');

const plain = readdirSync(FOLDER).map((file): Resource => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')));

const isShipped = (resource: Resource) =>
  resource.resourceType === 'PlanDefinition' &&
  resource.topic?.some(({ coding }) => coding?.some(({ code }) => code === 'transition-of-care'));

export const plainArtifacts: readonly Resource[] = [...artifacts.filter((one) => !isShipped(one)), ...plain];
