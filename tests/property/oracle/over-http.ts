// The oracle's questions asked through the FHIR API of a whole server.
import { type Json, serve } from '../../server/serve.ts';
import type { Stores } from './stores.ts';
import { type Ask, type FoundPage, SEARCH_CLOCK } from './world.ts';

/** The same stores, each behind a server. */
export function overHttp(stores: Stores): Stores {
  return {
    async open(options) {
      const { store, cleanup } = await stores.open(options);
      const baton = await serve({ store, clock: SEARCH_CLOCK });
      const ask: Ask = async (url, next) => {
        const { status, text, json } = await baton.send('GET', next ?? `/fhir/R4/${url}`);
        if (status !== 200) throw new Error(text);
        return pageOf(json);
      };
      return {
        store,
        ask,
        async cleanup() {
          await baton.close();
          await cleanup();
        },
      };
    },
    stop: () => stores.stop(),
  };
}

function pageOf({ total, link = [], entry = [] }: Json): FoundPage {
  const next = link.find(({ relation }) => relation === 'next')?.url.replace(/^https?:\/\/[^/]+/, '');
  const found = (mode: string) =>
    entry
      .filter(({ search }) => search?.mode === mode)
      .map(({ resource }) => ({ type: resource?.resourceType ?? '', id: resource?.id ?? '' }));
  return {
    items: found('match'),
    included: found('include'),
    ...(total === undefined ? {} : { total }),
    ...(next === undefined ? {} : { next }),
  };
}
