// The examples of docs/mapping.md are valid against the profile of their type that their section names first, or R4 where it
// names none.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createConformance } from '../../src/fhir/conformance.ts';
import { NO_PROFILE_RULES } from '../../src/fhir/validation/profile-rules.ts';
import { artifacts } from './artifacts.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/mapping.md'), 'utf8');
const conformance = createConformance(artifacts, NO_PROFILE_RULES);
const TYPES = new Map(
  artifacts.flatMap((one) => (one.resourceType === 'StructureDefinition' ? [[one.id ?? '', one.type] as const] : [])),
);

const sections = page.split(/^## /m).slice(1);
const examples = sections.flatMap((section) => {
  const [example] = [...section.matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => text);
  const [title = ''] = section.split('\n');
  const named = [...section.matchAll(/`(baton-[a-z-]+)`/g)].map(([, profile = '']) => profile);
  if (!example) return [];
  const type = JSON.parse(example).resourceType;
  return [
    {
      title,
      profile: named.find((profile) => TYPES.get(profile) === type) ?? (named.length > 0 ? 'none' : type),
      example,
    },
  ];
});

test.each(examples)('$title: $profile', ({ profile, example }) => {
  const isBase = profile === JSON.parse(example).resourceType;
  expect(isBase || TYPES.has(profile)).toBe(true);
  const canonical = `https://baton.health/fhir/StructureDefinition/${profile}`;
  const issues = conformance.validate(JSON.parse(example), isBase ? [] : [canonical]);
  expect(issues.filter(({ severity }) => severity === 'error')).toEqual([]);
});
