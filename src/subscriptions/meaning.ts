// What searches and topics mean, remembered until guides change it.
import type { Subscription } from '@medplum/fhirtypes';
import type { Clock } from '../clock.ts';
import { Fault } from '../fault.ts';
import { createMatcher, looksElsewhere } from '../fhir/search/in-memory/matcher.ts';
import type { SearchParameters } from '../fhir/search/parameters.ts';
import { parseSearch } from '../fhir/search/parse.ts';
import type { Meaning } from './parts.ts';
import type { SubscriptionSettings } from './settings.ts';
import { loadTopics, type ReadQuery } from './topic.ts';
import { readWanted } from './wanted.ts';

export interface MeaningOptions {
  readonly clock: Clock;
  readonly settings: SubscriptionSettings;
  /** FHIR base URL without trailing slash. */
  readonly base: () => string;
  readonly parameters: SearchParameters;
  /** Another object when guides have changed what parameters there are. */
  readonly generation: () => object;
  /** Folder of the topics. */
  readonly topics: string;
  /** Whether this machine may be told: in the sandbox. */
  readonly loopback: boolean;
}

/** @returns what they mean now; it throws Fault unprocessable for a topic that is none */
export function meaningOf(options: MeaningOptions): () => Meaning {
  const { generation, parameters, settings, loopback, topics: folder } = options;
  let known: { readonly of: object; readonly meaning: Meaning } | undefined;
  return () => {
    const of = generation();
    if (known?.of === of) return known.meaning;
    const read = reads(options);
    const endpoint = { hosts: settings.hosts, loopback };
    const isType = (type: string) => parameters.types.includes(type);
    const rules = { topics: loadTopics(folder, read), read, isType, endpoint };
    const wantedBy = remembered((content) => readWanted(JSON.parse(content) as Subscription, rules));
    known = { of, meaning: { matcher: createMatcher(parameters, options.base()), rules, wantedBy } };
    return known.meaning;
  };
}

/** Strict: what is not understood would tell more than was asked for. */
function reads({ parameters, base, clock }: MeaningOptions): ReadQuery {
  const read = remembered((url) => {
    const type = url.slice(0, url.indexOf('?'));
    const pairs = [...new URLSearchParams(url.slice(type.length + 1))];
    const { conditions } = parseSearch(parameters, type, pairs, { handling: 'strict', baseUrl: base(), clock });
    if (conditions.length === pairs.length && !conditions.some(looksElsewhere)) return conditions;
    const sentence = 'A Subscription goes by what the resource itself says: no chains, text, or parameters of results.';
    throw new Fault('invalid', sentence, { code: 'not-supported' });
  });
  return (type, query) => read(`${type}?${query}`);
}

const REMEMBERED = 1_000;

function remembered<T>(make: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const made = make(key);
    if (known.size >= REMEMBERED) known.clear();
    known.set(key, made);
    return made;
  };
}
