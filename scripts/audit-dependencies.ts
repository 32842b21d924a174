// `npm run audit:dependencies`: fails on any known hole of moderate severity or worse, in what runs and in what builds,
// that is not on the reviewed list. `-- --require` also fails when the registry gives no advisories.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isReport, judgeAdvisories, readAllowList } from './audit/judge-advisories.ts';

const ALLOW_LIST = new URL('../security/audit-allow-list.json', import.meta.url);

const { stdout } = spawnSync('npm', ['audit', '--json'], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
const report = parse(stdout);
const allowed = readAllowList(readFileSync(ALLOW_LIST, 'utf8'));
if (isReport(report)) {
  const problems = judgeAdvisories(report, allowed, Temporal.Now.plainDateISO());
  for (const problem of problems) console.log(problem);
  console.log(problems.length === 0 ? 'No known holes in the dependencies.' : `${problems.length} to look at.`);
  process.exitCode = problems.length === 0 ? 0 : 1;
} else {
  console.log('NOT AUDITED: this npm registry gives no advisories. Run this where the registry of npmjs.com answers.');
  process.exitCode = process.argv.includes('--require') ? 1 : 0;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
