// What `npm audit --json` says, against what somebody has looked at and found harmless here.

/** A reviewed exception in security/audit-allow-list.json. */
export interface Allowed {
  /** `GHSA-…` */
  readonly id: string;
  readonly package: string;
  /** Why it does no harm here. */
  readonly reason: string;
  /** Dates, `2026-11-28`. After `expires` somebody has to look again. */
  readonly reviewed: string;
  readonly expires: string;
}

interface Advisory {
  readonly name: string;
  readonly title: string;
  readonly url: string;
  readonly severity: string;
}

/** The parts of npm's report (version 2) that matter. A `via` that is text names another package of the report. */
interface Report {
  readonly auditReportVersion: 2;
  readonly vulnerabilities: Readonly<Record<string, { readonly via: readonly (string | Advisory)[] }>>;
}

const HARMLESS = ['info', 'low'];
const MEMBERS = ['id', 'package', 'reason', 'reviewed', 'expires'] as const;

/** False for what npm prints when the registry has no advisories to give. */
export function isReport(value: unknown): value is Report {
  return (value as { auditReportVersion?: unknown } | null)?.auditReportVersion === 2;
}

/** @throws Error naming the entry that is not one */
export function readAllowList(text: string): Allowed[] {
  const entries: unknown = JSON.parse(text);
  if (!Array.isArray(entries)) throw new Error('The allow-list is a JSON array.');
  for (const entry of entries) {
    const missing = MEMBERS.find((name) => typeof entry?.[name] !== 'string' || entry[name].trim() === '');
    if (missing) throw new Error(`An entry of the allow-list has no ${missing}: ${JSON.stringify(entry)}`);
    for (const date of [entry.reviewed, entry.expires]) Temporal.PlainDate.from(date);
  }
  return entries;
}

/** Sentences about everything that must be looked at; none when all is well. */
export function judgeAdvisories(report: Report, allowed: readonly Allowed[], today: Temporal.PlainDate): string[] {
  const advisories = Object.values(report.vulnerabilities).flatMap(({ via }) =>
    via.filter((one) => typeof one !== 'string'),
  );
  const found = new Map(advisories.map((advisory) => [`${idOf(advisory)} ${advisory.name}`, advisory]));
  const isAllowed = (key: string) => allowed.some((entry) => `${entry.id} ${entry.package}` === key);
  const isOver = ({ expires }: Allowed) => Temporal.PlainDate.compare(Temporal.PlainDate.from(expires), today) < 0;
  return [
    ...[...found]
      .filter(([key, { severity }]) => !HARMLESS.includes(severity) && !isAllowed(key))
      .map(([key, { severity, title, url }]) => `${severity}: ${key}: ${title} (${url})`),
    ...allowed
      .filter(isOver)
      .map((entry) => `expired ${entry.expires}: ${entry.id} ${entry.package} must be reviewed again`),
    ...allowed
      .filter((entry) => !found.has(`${entry.id} ${entry.package}`))
      .map((entry) => `not found any more: ${entry.id} ${entry.package} can leave the allow-list`),
  ];
}

/** The advisory's name in GitHub's database, the last part of its address. */
const idOf = ({ url }: Advisory) => url.split('/').at(-1) ?? url;
