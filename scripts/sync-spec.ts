// Holds docs/sync-spec.md against the code and the tests, both ways: `node scripts/sync-spec.ts [--complete]`. With
// --complete nothing may be planned any more.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const SPEC = 'docs/sync-spec.md';
const LAST = 33;

interface SpecRow {
  readonly id: string;
  readonly state: string;
  readonly tests: string;
}

/** Sentences about what does not fit; empty when all does. @param complete whether `planned` counts as a fault */
export function checkSyncSpec(complete: boolean): string[] {
  const text = read(SPEC);
  const rows = rowsOf(text);
  const problems: string[] = [];
  for (let number = 1; number <= LAST; number += 1) {
    const found = rows.filter(({ id }) => id === `I${number}`);
    if (found.length !== 1) problems.push(`I${number} has ${found.length} rows.`);
    if (!text.includes(`<a id="I${number}"></a>`)) problems.push(`I${number} has no anchor.`);
  }
  for (const row of rows) problems.push(...checkRow(row, complete));
  const known = new Set(rows.map(({ id }) => id));
  const citedByTests = new Set<string>();
  for (const file of globSync('{src,tests,scripts}/**/*.ts', { cwd: ROOT })) {
    for (const [, id = ''] of read(file).matchAll(/sync-spec\.md#(I\d+)/g)) {
      if (!known.has(id)) problems.push(`${file} cites ${id}, which has no row.`);
      if (file.startsWith('tests/')) citedByTests.add(id);
    }
  }
  for (const { id, state, tests } of rows) {
    const isEnforced = state.startsWith('enforced') && /`sync\//.test(tests);
    if (isEnforced && !citedByTests.has(id)) problems.push(`${id} is enforced, but no test file cites it.`);
  }
  return problems;
}

function checkRow({ id, state, tests }: SpecRow, complete: boolean): string[] {
  const problems: string[] = [];
  const isPlanned = /\bplanned\b/.test(state) || tests.trim() === 'planned';
  if (complete && (isPlanned || state.startsWith('in part'))) problems.push(`${id} is not complete: ${state}.`);
  if (state.startsWith('enforced') && !/`[^`]+`/.test(tests)) problems.push(`${id} is enforced by no test.`);
  // A file, and the words of its tests that follow it: `sync/parts` *watermark*, *order of creation*
  for (const [, file = '', quoted = ''] of tests.matchAll(/`([^`]+)`((?:[^`*]*\*[^*]+\*)*)/g)) {
    const path = testFile(file);
    if (path === undefined) {
      problems.push(`${id} cites ${file}, which is not there.`);
      continue;
    }
    const titles = titlesOf(read(path));
    for (const [, words = ''] of quoted.matchAll(/\*([^*]+)\*/g)) {
      const wanted = normalised(words.replace(/…$/, ''));
      if (!titles.some((title) => title.includes(wanted))) problems.push(`${id}: ${file} has no test "${words}".`);
    }
  }
  return problems;
}

function rowsOf(text: string): SpecRow[] {
  return [...text.matchAll(/^\| <a id="(I\d+)"><\/a>I\d+ \| ([^|]*) \| ([^|]*) \| ([^|]*) ?\|$/gm)].map(
    ([, id = '', , state = '', tests = '']) => ({ id, state: state.trim(), tests }),
  );
}

/** `sync/parts`, `tests/transitions`, `npm run layers`'s config… as a path, if it is there. */
function testFile(name: string): string | undefined {
  const tried = [`tests/${name}.test.ts`, `tests/${name}`, name, `${name}.test.ts`];
  return tried.find((path) => existsSync(join(ROOT, path)));
}

/** Full titles are not needed: the words of a describe or of a test are. */
function titlesOf(source: string): string[] {
  const calls = /\b(?:test|describe|it)(?:\.\w+)?(?:\([^)]*\))?(?:<[^>]*>)?\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g;
  const named = [...source.matchAll(calls)].map(([, , title = '']) => normalised(title));
  // A table of tests has its title after the table.
  const tables = [...source.matchAll(/\]\)\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g)];
  const constants = [...source.matchAll(/\]\s*as const\)\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g)];
  return [...named, ...[...tables, ...constants].map(([, , title = '']) => normalised(title))];
}

function normalised(text: string): string {
  return text.replaceAll("\\'", "'").replaceAll('’', "'").toLowerCase().trim();
}

function read(path: string): string {
  const full = join(ROOT, path);
  return existsSync(full) && !path.endsWith('/') && /\.\w+$/.test(path) ? readFileSync(full, 'utf8') : '';
}

if (process.argv[1] === import.meta.filename) {
  const problems = checkSyncSpec(process.argv.includes('--complete'));
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
