// The examples of docs/mapping.md are valid against the first profile that their section names.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createConformance } from '../../src/fhir/conformance.ts';
import { NO_PROFILE_RULES } from '../../src/fhir/validation/profile-rules.ts';
import { artifacts } from './artifacts.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/mapping.md'), 'utf8');
const conformance = createConformance(artifacts, NO_PROFILE_RULES);
const OWN = new Set(artifacts.flatMap((one) => (one.resourceType === 'StructureDefinition' ? [one.id] : [])));

const sections = page.split(/^## /m).slice(1);
const examples = sections.flatMap((section) => {
  const [example] = [...section.matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => text);
  const [title = ''] = section.split('\n');
  const profile = /`(baton-[a-z-]+)`/.exec(section)?.[1];
  return example && profile ? [{ title, profile, example }] : [];
});

test.each(examples)('$title: $profile', ({ profile, example }) => {
  expect(OWN).toContain(profile);
  const canonical = `https://baton.health/fhir/StructureDefinition/${profile}`;
  const issues = conformance.validate(JSON.parse(example), [canonical]);
  expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
});
