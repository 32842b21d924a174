// Asks for all that one patient has of a type: every condition the server demands, every page. What comes back is whole or a
// failure; whether the server itself calls it incomplete is told beside it. docs/sync-spec.md#I29
import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import { saysNotOffered } from '../../remote/absence.ts';
import type { FhirReply } from '../../remote/fhir-reply.ts';
import { failure, type RemoteFailure, type Result, success } from '../../remote/result.ts';
import { US_CORE_REQUIRED } from '../../remote/vendors/us-core.ts';
import type { Vendor } from '../../remote/vendors/vendor.ts';
import type { RunContext } from '../context.ts';
import { readRecord } from '../patients/read-record.ts';
import { refuseStrangers } from '../push/expected.ts';
import { nextLink, PageGuard } from './page-guard.ts';
import type { KnownAnswer, RosterRow } from './roster-rows.ts';
import type { PullPlan } from './strategy.ts';

export interface SubjectAnswer {
  /** Entries of the answers that are not known already. */
  readonly bundle: Bundle;
  readonly answers: readonly KnownAnswer[];
  /** False when the server says that something may be missing. */
  readonly complete: boolean;
  /** The remote's clock. */
  readonly date: Temporal.Instant | undefined;
  /** Read by id: deleted (410), and not found (404). */
  readonly gone: readonly string[];
  readonly missing: readonly string[];
}

/** What the searches of a type must say besides the patient; learned once, then used for all patients. */
export interface Conditions {
  list: readonly string[];
  /** Refused by the server when others were not; left out for the rest of the run. */
  readonly dropped: Set<string>;
}

/**
 * @param fresh answers are read even when they are the known ones
 * @param since instant after which changes are asked for, where the search can be narrowed
 */
export async function askSubject(
  context: RunContext,
  type: string,
  plan: PullPlan,
  row: RosterRow,
  conditions: Conditions,
  { fresh, since }: { readonly fresh: boolean; readonly since: string | undefined },
): Promise<Result<SubjectAnswer>> {
  if (plan.by === 'id') return readOne(context, type, row.subject);
  const entry: BundleEntry[] = [];
  const answers: KnownAnswer[] = [];
  let complete = true;
  let date: Temporal.Instant | undefined;
  let refused: RemoteFailure | undefined;
  for (const condition of conditions.list) {
    if (conditions.dropped.has(condition)) continue;
    const known = row.answers.find((answer) => answer.condition === condition);
    const changed = since === undefined ? '' : changedSince(since, context.remote.vendor.openRanges?.includes(type));
    const count = `_count=${context.remote.vendor.pageSize}`;
    const parts = [`${plan.by ?? 'patient'}=${encodeURIComponent(row.subject)}`, condition, changed, count];
    const query = `${type}?${parts.filter((part) => part !== '').join('&')}`;
    const reply = await askAll(context, query, fresh ? undefined : known);
    if (!reply.ok) {
      const more = US_CORE_REQUIRED[type];
      if (condition === '' && more && demandsMore(reply.failure)) {
        conditions.list = more;
        return askSubject(context, type, plan, row, conditions, { fresh, since });
      }
      if (reply.failure.status !== 400 || conditions.list.length === 1) return reply;
      refused = reply.failure;
      conditions.dropped.add(condition);
      continue;
    }
    const { value } = reply;
    date ??= value.date;
    const ids = value.same ? (known?.ids ?? []) : idsOf(type, value.entry);
    const kept = since === undefined ? ids : [...new Set([...(known?.ids ?? []), ...ids])];
    const mark = value.same ? known?.mark : value.mark;
    answers.push({ condition, ids: kept, ...(mark ? { mark } : {}) });
    if (value.same) continue;
    entry.push(...value.entry);
    if (value.entry.some((one) => warnsOfGaps(one, context.remote.vendor))) complete = false;
  }
  if (answers.length === 0) return failure(refused ?? { class: 'permanent', message: 'The server takes no search.' });
  const bundle: Bundle = { resourceType: 'Bundle', type: 'searchset', entry };
  const own = refuseStrangers(bundle, type, row.subject, context.remote.baseUrl);
  return success({ bundle: own, answers, complete, date, gone: [], missing: [] });
}

/** Far enough that no clock is ahead of it. */
const RANGE = Temporal.Duration.from({ hours: 10 * 365 * 24 });

/** Who narrows by `_lastUpdated` beside a patient only (Oracle Health) wants both ends, except where it wants one. */
function changedSince(since: string, isOpen = false): string {
  const from = `_lastUpdated=ge${encodeURIComponent(since)}`;
  if (isOpen) return from;
  const until = Temporal.Instant.from(since).add(RANGE).toString({ smallestUnit: 'second' });
  return `${from}&_lastUpdated=le${encodeURIComponent(until)}`;
}

/** Characters of the pages of one answer, which are held until the last is there; some ten thousand records. */
const MOST_HELD = 64 * 1024 * 1024;

const TOO_MUCH: RemoteFailure = {
  class: 'permanent',
  message: `The pages about one patient are larger than ${MOST_HELD / 1024 / 1024} MiB together.`,
};

type Pages =
  | { readonly same: true; readonly date?: Temporal.Instant | undefined }
  | {
      readonly same: false;
      readonly entry: readonly BundleEntry[];
      readonly mark: KnownAnswer['mark'];
      readonly date?: Temporal.Instant | undefined;
    };

async function askAll({ client }: RunContext, query: string, known: KnownAnswer | undefined): Promise<Result<Pages>> {
  const first = await client.searchUnlessSame(query, known?.mark ?? {});
  if (!first.ok) return first;
  if (first.value.same) return success({ same: true });
  const { mark, date } = first.value;
  let page: FhirReply & { readonly body: Bundle } = first.value;
  const entry: BundleEntry[] = [];
  const guard = new PageGuard();
  let held = 0;
  for (let pages = 1; ; pages += 1) {
    entry.push(...(page.body.entry ?? []));
    const next = nextLink(page.body);
    // Only an answer of one page is recognised by its text: that of the first says nothing about the second.
    if (next === undefined) return success({ same: false, entry, mark: pages === 1 ? mark : undefined, date });
    const runaway = guard.check(page.body, next);
    if (runaway) return failure(runaway);
    held += JSON.stringify(page.body).length;
    if (held > MOST_HELD) return failure(TOO_MUCH);
    const reply = await client.page(next);
    if (!reply.ok) return failure(afterTheFirst(reply.failure));
    page = reply.value;
  }
}

/** A page that expired is asked for again with the whole answer; it says nothing about the type. */
function afterTheFirst(failed: RemoteFailure): RemoteFailure {
  return failed.class === 'permanent' ? { ...failed, class: 'transient' } : failed;
}

async function readOne({ client }: RunContext, type: string, id: string): Promise<Result<SubjectAnswer>> {
  const reply = await readRecord(client, type, id);
  const empty: Bundle = { resourceType: 'Bundle', type: 'searchset', entry: [] };
  const known = { complete: true, date: undefined, gone: [], missing: [] };
  if (reply.ok) {
    const { body, date } = reply.value;
    const bundle: Bundle = body ? { ...empty, entry: [{ resource: body }] } : empty;
    return success({ ...known, bundle, answers: [{ condition: '', ids: [id] }], date });
  }
  const { status } = reply.failure;
  const answers: KnownAnswer[] = [{ condition: '', ids: [] }];
  if (status === 410) return success({ ...known, bundle: empty, answers, gone: [id] });
  if (status === 404 && !saysNotOffered(reply.failure))
    return success({ ...known, bundle: empty, answers, missing: [id] });
  return reply;
}

function idsOf(type: string, entries: readonly BundleEntry[]): string[] {
  return entries.flatMap(({ resource }) => (resource?.resourceType === type && resource.id ? [resource.id] : []));
}

/** True when the server wants to hear more than the patient. 4111 is how Epic says so. */
export function demandsMore({ status, issues = [] }: RemoteFailure): boolean {
  if (status !== 400) return false;
  return issues.some(({ code, details }) => code === 'required' || details?.coding?.some((one) => one.code === '4111'));
}

/** Any warning means that the answer may have gaps, unless it is known to be harmless. */
export function warnsOfGaps({ resource }: BundleEntry, { harmlessOutcomes }: Vendor): boolean {
  if (resource?.resourceType !== 'OperationOutcome') return false;
  return resource.issue.some(({ severity, details }) => {
    const harmless =
      details?.coding?.some(({ code }) => code !== undefined && harmlessOutcomes.includes(code)) ?? false;
    return severity !== 'information' && !harmless;
  });
}
