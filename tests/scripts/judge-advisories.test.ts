// The shapes of npm's report, version 2, against the reviewed list.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Allowed, isReport, judgeAdvisories, readAllowList } from '../../scripts/audit/judge-advisories.ts';

const TODAY = Temporal.PlainDate.from('2026-11-28');

const advisory = (id: string, name: string, severity: string) => ({
  source: 1_100_001,
  name,
  dependency: name,
  title: `A hole in ${name}`,
  url: `https://github.com/advisories/${id}`,
  severity,
  cwe: ['CWE-1333'],
  cvss: { score: 5.3, vectorString: 'CVSS:3.1/AV:N' },
  range: '<2.0.0',
});
/** A package with a hole of its own, and one that has it through the first. */
const reportOf = (severity: string) => ({
  auditReportVersion: 2 as const,
  vulnerabilities: {
    leaky: {
      name: 'leaky',
      severity,
      isDirect: false,
      via: [advisory('GHSA-aaaa-bbbb-cccc', 'leaky', severity)],
      effects: ['outer'],
      range: '<2.0.0',
      nodes: ['node_modules/leaky'],
      fixAvailable: true,
    },
    outer: {
      name: 'outer',
      severity,
      isDirect: true,
      via: ['leaky'],
      effects: [],
      range: '*',
      nodes: [],
      fixAvailable: true,
    },
  },
  metadata: { vulnerabilities: { info: 0, low: 0, moderate: 2, high: 0, critical: 0, total: 2 } },
});
const CLEAN = { auditReportVersion: 2 as const, vulnerabilities: {}, metadata: {} };
const ALLOWED: Allowed = {
  id: 'GHSA-aaaa-bbbb-cccc',
  package: 'leaky',
  reason: 'Only used on our own text.',
  reviewed: '2026-11-01',
  expires: '2026-12-31',
};

describe('an advisory', () => {
  it.each(['moderate', 'high', 'critical', 'unheard-of'])('of severity %s is named once', (severity) => {
    expect(judgeAdvisories(reportOf(severity), [], TODAY)).toEqual([
      `${severity}: GHSA-aaaa-bbbb-cccc leaky: A hole in leaky (https://github.com/advisories/GHSA-aaaa-bbbb-cccc)`,
    ]);
  });

  it.each(['info', 'low'])('of severity %s is let pass', (severity) => {
    expect(judgeAdvisories(reportOf(severity), [], TODAY)).toEqual([]);
  });

  it('on the list is let pass until its last day, for its package only', () => {
    const judge = (entry: Allowed) => judgeAdvisories(reportOf('high'), [entry], TODAY);
    expect(judge(ALLOWED)).toEqual([]);
    expect(judge({ ...ALLOWED, expires: '2026-11-28' })).toEqual([]);
    expect(judge({ ...ALLOWED, expires: '2026-11-27' })).toEqual([expect.stringContaining('expired 2026-11-27')]);
    expect(judge({ ...ALLOWED, package: 'other' })).toHaveLength(2);
  });

  it('that is gone should leave the list', () => {
    expect(judgeAdvisories(CLEAN, [ALLOWED], TODAY)).toEqual([expect.stringContaining('not found any more')]);
  });
});

it('what npm prints when the registry refuses is no report', () => {
  expect(isReport({ message: '405 Method Not Allowed', statusCode: 405, error: {} })).toBe(false);
  expect(isReport(undefined)).toBe(false);
  expect(isReport(CLEAN)).toBe(true);
});

it('an entry without a reason or with a wrong date is refused', () => {
  for (const wrong of [{ ...ALLOWED, reason: ' ' }, { ...ALLOWED, expires: 'never' }, null, { id: 'x' }]) {
    expect(() => readAllowList(JSON.stringify([wrong]))).toThrow();
  }
  expect(() => readAllowList('{}')).toThrow();
  expect(
    readAllowList(readFileSync(new URL('../../security/audit-allow-list.json', import.meta.url), 'utf8')),
  ).toBeDefined();
});
