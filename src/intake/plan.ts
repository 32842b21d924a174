// Drafts of one message, matched with the store by identifier -> the changes of one commit. What is stored already just
// as the message says gives no change.
import type { Provenance, Reference, Resource } from '@medplum/fhirtypes';
import { type JsonObject, sameJson } from '../fhir/canonical-json.ts';
import type { Change } from '../fhir/change.ts';
import { parseExact } from '../fhir/exact-json.ts';
import { rewriteLinks } from '../fhir/references.ts';
import { tokenText } from '../fhir/search/token-text.ts';
import type { Store } from '../store/store.ts';
import type { AdtContent } from './map/adt.ts';
import type { Draft } from './map/drafts.ts';
import { LATEST_EVENT } from './map/systems.ts';
import { Refusal } from './refusal.ts';

export interface Plan {
  readonly changes: readonly Change[];
  /** False when this message is the first that Baton hears of the visit. */
  readonly visitKnown: boolean;
}

interface Stored {
  readonly resource: Resource;
  readonly versionId: string;
}

/** @throws Refusal AE 205 | 207 when an identifier means more than one thing */
export async function planChanges(store: Store, content: AdtContent): Promise<Plan> {
  const stored = await findStored(store, content.drafts);
  const literal = (fullUrl: string) => {
    const match = stored.get(fullUrl)?.resource;
    return match && `${match.resourceType}/${match.id}`;
  };
  const changes = content.drafts.flatMap((draft): Change[] => {
    const fresh = rewriteLinks(draft.resource, literal);
    const match = stored.get(draft.fullUrl);
    if (!match) {
      return [
        {
          op: 'create',
          resource: fresh,
          fullUrl: draft.fullUrl,
          ifNoneExist: `identifier=${searchToken(draft)}`,
        },
      ];
    }
    const resource = draft.merge(match.resource, fresh);
    return saysTheSame(match.resource, resource) ? [] : [{ op: 'update', resource, ifMatch: match.versionId }];
  });
  const visitKnown = stored.has(content.encounter);
  if (changes.length === 0) return { changes, visitKnown };
  const target = changes.flatMap(targetOf);
  const provenance: Provenance = { ...rewriteLinks({ ...content.provenance, target }, literal) };
  return { changes: [...changes, { op: 'create', resource: provenance }], visitKnown };
}

function targetOf(change: Change): Reference[] {
  if (change.op === 'create' && change.fullUrl) return [{ reference: change.fullUrl }];
  if (change.op === 'update') return [{ reference: `${change.resource.resourceType}/${change.resource.id}` }];
  return [];
}

/** Stored resources by the fullUrl of the draft that means them; one search per resource type. */
async function findStored(store: Store, drafts: readonly Draft[]): Promise<Map<string, Stored>> {
  const byType = Map.groupBy(drafts, (draft) => draft.resource.resourceType);
  const found = new Map<string, Stored>();
  for (const [type, ofType] of byType) {
    const tokens = ofType.map(searchToken).join(',');
    for (const version of await store.find(`${type}?identifier=${tokens}`)) {
      const resource = parseExact<Resource>(version.content);
      for (const draft of ofType.filter(({ match }) => carries(resource, match))) {
        if (found.has(draft.fullUrl)) {
          const text = `The identifier of a ${type} of this message is that of more than one stored ${type}; merge them first.`;
          throw new Refusal('AE', '207', text);
        }
        found.set(draft.fullUrl, { resource, versionId: version.versionId });
      }
    }
  }
  return found;
}

const searchToken = ({ match }: Draft) => encodeURIComponent(tokenText(match.system, match.value));

function carries(resource: Resource, { system, value }: Draft['match']): boolean {
  const identifiers = 'identifier' in resource ? [resource.identifier ?? []].flat() : [];
  return identifiers.some((identifier) => identifier.system === system && identifier.value === value);
}

/** Equal but for bookkeeping: a newer event that changes nothing is not worth a version. */
function saysTheSame(stored: Resource, merged: Resource): boolean {
  return sameJson(essence(stored), essence(merged));
}

function essence(resource: Resource): JsonObject {
  const { meta: _, ...rest } = resource as Resource & { extension?: { url: string }[] };
  const extension = rest.extension?.filter(({ url }) => url !== LATEST_EVENT);
  return { ...(rest as unknown as JsonObject), extension: extension as unknown as JsonObject[] | undefined };
}
