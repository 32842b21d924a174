// Second phase of a commit: links between its resources get the ids those resources really have, conditional references
// become literal ones, and a reference to nothing is refused. https://hl7.org/fhir/R4/http.html#trules
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import {
  collectReferences,
  isConditional,
  locateReference,
  parseLiteral,
  type Rewrite,
  rewriteLinks,
} from '../fhir/references.ts';
import type { Group, Unit } from './group.ts';
import { matchOne } from './match.ts';
import type { Step } from './step.ts';

const CONTENT = 'SELECT content FROM resource WHERE rid = ?';
const RESTFUL = /^(https?:\/\/.+\/)[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/;

/**
 * Rewrites every link to a `fullUrl` of the commit and notes the conditional references for later.
 * @throws Fault invalid for a urn: that nothing in the commit has, unprocessable for a dangling reference
 */
export async function linkAll(
  group: Group,
  steps: readonly Step[],
  { transaction, mayKnow }: Pick<Unit, 'transaction' | 'mayKnow'>,
): Promise<void> {
  const addresses = new Map<string, Address>();
  for (const step of steps) if (step.fullUrl !== undefined) addresses.set(step.fullUrl, addressOf(step));
  const mode = group.rules.referentialIntegrity;
  const checked = mode === 'always' || (mode === 'transaction' && transaction);
  const present = checked ? presentAfter(steps) : new Map<string, boolean>();
  for (const step of steps) {
    if (!step.resource || !step.writes) continue;
    if (addresses.size > 0) step.resource = rewriteLinks(step.resource, rewriteFrom(addresses, step.fullUrl));
    for (const reference of collectReferences(step.resource)) {
      if (reference.startsWith('urn:')) throw unresolved(step.resource, reference);
      if (isConditional(reference)) step.conditional.push(reference);
      else if (checked) await refuseDangling(group, step, reference, { present, mayKnow });
    }
  }
}

/**
 * Replaces the conditional references that `linkAll` noted.
 * @throws Fault precondition when nothing matches, multiple-matches
 */
export async function resolveConditional(group: Group, steps: readonly Step[]): Promise<void> {
  const resolved = new Map<string, string>();
  for (const step of steps) {
    if (!step.resource) continue;
    for (const reference of step.conditional) {
      if (!resolved.has(reference)) resolved.set(reference, await resolve(group, step.resource, reference));
    }
    step.resource = rewriteLinks(step.resource, (url, kind) => (kind === 'reference' ? resolved.get(url) : undefined));
    step.conditional = [];
  }
}

async function resolve(group: Group, resource: Resource, reference: string): Promise<string> {
  const mark = reference.indexOf('?');
  const type = reference.slice(0, mark);
  const expression = locateReference(resource, reference);
  const match = await matchOne(group, type, reference.slice(mark + 1), `the conditional reference at ${expression}`);
  if (match) return `${type}/${match.id}`;
  throw new Fault('precondition', `The conditional reference at ${expression} matches no ${type}.`, {
    expression,
    code: 'not-found',
  });
}

/** Where a resource of the commit will be. */
interface Address {
  readonly literal: string;
  readonly versionId: string;
}

function addressOf({ type, id, writes, version, match, twin }: Step): Address {
  const versionId = writes || twin ? String((twin?.version ?? version) + 1) : (match?.versionId ?? '');
  return { literal: `${type}/${id}`, versionId };
}

/**
 * A relative reference in an entry with a RESTful fullUrl is relative to that. A reference to a version becomes one to the
 * version that the commit makes. https://hl7.org/fhir/R4/bundle.html#references
 */
function rewriteFrom(addresses: ReadonlyMap<string, Address>, fullUrl: string | undefined): Rewrite {
  const base = fullUrl === undefined ? undefined : RESTFUL.exec(fullUrl)?.[1];
  return (url, kind) => {
    const [unversioned = '', version] = url.split('/_history/', 2);
    const found =
      addresses.get(unversioned) ??
      (base !== undefined && kind === 'reference' ? addresses.get(base + unversioned) : undefined);
    return found && (version === undefined ? found.literal : `${found.literal}/_history/${found.versionId}`);
  };
}

/** What is known, without asking the database, to exist or not once the commit is done. */
function presentAfter(steps: readonly Step[]): Map<string, boolean> {
  const present = new Map<string, boolean>();
  for (const step of steps) present.set(`${step.type}/${step.id}`, step.op !== 'delete');
  return present;
}

/** A target that was gone before this update is no reason to refuse it: only what the update adds is checked. */
async function refuseDangling(
  group: Group,
  step: Step,
  reference: string,
  { present, mayKnow }: { present: Map<string, boolean>; mayKnow: Unit['mayKnow'] },
): Promise<void> {
  // Most are plain, and lead where others of the group do.
  if (present.get(reference) ?? group.current.isThere(reference)) return;
  const literal = parseLiteral(reference);
  if (!literal || !step.resource) return;
  const key = `${literal.type}/${literal.id}`;
  const known = present.get(key);
  if (known) return;
  if (known === undefined && mayKnow?.(literal.type) === false) return;
  if (known === undefined) {
    const found = (await group.current.find(literal.type, literal.id))?.deleted === false;
    if (found) present.set(key, true);
    if (found || (await wasThereBefore(group, step, reference))) return;
  }
  const expression = locateReference(step.resource, reference);
  throw new Fault(
    'unprocessable',
    `The dangling reference at ${expression} points to a ${literal.type} that is neither stored nor in the transaction.`,
    { expression },
  );
}

async function wasThereBefore(group: Group, { current }: Step, reference: string): Promise<boolean> {
  if (!current || current.deleted) return false;
  const [row] = await group.tx.all(CONTENT, [current.rid]);
  return row !== undefined && collectReferences(JSON.parse(String(row.content)) as Resource).includes(reference);
}

function unresolved(resource: Resource, reference: string): Fault {
  const expression = locateReference(resource, reference);
  return new Fault('invalid', `The reference at ${expression} is a urn: that no entry of the request has as fullUrl.`, {
    expression,
  });
}
