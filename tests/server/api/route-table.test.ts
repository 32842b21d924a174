// What holds of every row of the table of routes, and of the OpenAPI document that is made from it.
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { FORMATS } from '../../../src/care/formats.ts';
import { bodyCheck } from '../../../src/server/api/check-input.ts';
import { exampleOf } from '../../../src/server/api/example-of.ts';
import { openApi } from '../../../src/server/api/open-api.ts';
import { API_ROUTES } from '../../../src/server/api/routes.ts';
import { WORKLIST_EVENTS } from '../../../src/server/api/worklist-events.ts';

const ajv = new Ajv2020({ strict: false, allErrors: true });
for (const [name, { accepts }] of Object.entries(FORMATS)) ajv.addFormat(name, { type: 'string', validate: accepts });

const rows = API_ROUTES.map((route) => ({ is: `${route.method} ${route.path}`, route }));
const documented = [...API_ROUTES, WORKLIST_EVENTS];
const document = JSON.parse(JSON.stringify(openApi(documented, { baseUrl: 'https://baton.test', version: '1' })));
const operations = Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(([path, ways]) =>
  Object.values(ways).map((operation) => ({ path, operation })),
);

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, unknown>>;
}

describe('a route', () => {
  test.each(rows)('$is shows a body that it takes', ({ route }) => {
    if (!('body' in route) || !route.body) return;
    expect(route.examples?.body).toBeDefined();
    expect(() => bodyCheck(route.body ?? {})(structuredClone(route.examples?.body))).not.toThrow();
  });

  test.each(rows.filter(({ route }) => route.examples?.answer !== undefined))('$is shows its answer', ({ route }) => {
    const validate = ajv.compile(route.answer);
    validate(route.examples?.answer);
    expect(validate.errors ?? []).toEqual([]);
  });

  test.each(rows)('$is has a name, a line and a heading', ({ route }) => {
    expect(route.name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(route.summary).toMatch(/^[A-Z][^\n]{3,99}[^.\s]$/);
    expect(route.tag).toMatch(/^[A-Z]/);
  });
});

describe('the OpenAPI document', () => {
  test('names every operation once, at one place', () => {
    expect(operations).toHaveLength(documented.length);
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(documented.length);
  });

  test('shows an answer of every operation, as its schema has it', () => {
    const wrong = rows.flatMap(({ is, route }) => {
      const validate = ajv.compile(route.answer);
      validate(route.examples?.answer ?? exampleOf(route.answer));
      return (validate.errors ?? []).map(({ instancePath, message }) => `${is} ${instancePath} ${message}`);
    });
    expect(wrong).toEqual([]);
    const silent = operations.filter(({ operation }) => !JSON.stringify(operation.responses).includes('"example":'));
    expect(silent.map(({ operation }) => operation.operationId)).toEqual([]);
  });

  test('describes every parameter of a path, once', () => {
    for (const { path, operation } of operations) {
      const given = operation.parameters.filter((one) => one.in === 'path').map(({ name }) => name);
      expect(given).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      const all = operation.parameters.map((one) => `${one.in} ${one.name.toLowerCase()}`);
      expect(new Set(all).size).toBe(all.length);
    }
  });

  test('every path leads to one place only', () => {
    const shapes = Object.keys(document.paths).map((path) => path.replaceAll(/\{\w+\}/g, '{}'));
    expect(new Set(shapes).size).toBe(shapes.length);
  });

  test('refers only to what it has, and has nothing that nothing refers to', () => {
    const named = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/([^"]+)"/g)].map(([, to]) => to);
    const there = ['schemas', 'responses'].flatMap((kind) =>
      Object.keys(document.components[kind]).map((name) => `${kind}/${name}`),
    );
    expect(new Set(named)).toEqual(new Set(there));
  });
});
