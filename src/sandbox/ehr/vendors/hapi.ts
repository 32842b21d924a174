// HAPI FHIR as it comes out of the box: every interaction and every parameter of R4; search results are pages of a
// snapshot that expires.
import { EHR_TYPES } from '../vocabulary.ts';
import type { VendorRules } from './vendor-rules.ts';

const EVERYTHING = 'read vread search create update patch delete history-instance history-type';

export const HAPI_RULES: VendorRules = {
  name: 'hapi',
  software: { name: 'HAPI FHIR Server (simulated by Baton)', version: '8.4.0' },
  tenant: 'fhir',
  path: (tenant) => `/${tenant}`,
  types: Object.fromEntries([...EHR_TYPES].map((type) => [type, { can: EVERYTHING, search: '*' }])),
  systemAbilities: ['transaction', 'batch', 'history-system'],
  formats: ['application/fhir+json', 'json'],
  patchFormats: ['application/json-patch+json'],
  versions: true,
  ifMatch: 'honoured',
  conditional: true,
  returnsBody: true,
  strictAccept: false,
  unknownParameters: 'refused',
  paging: {
    link: (_type, token) => `?_getpages=${token}&_bundletype=searchset`,
    parameter: '_getpages',
    page: 20,
    most: 1000,
    liveSeconds: 3600,
    loose: false,
  },
  tokens: { seconds: 300, algorithms: ['RS384', 'ES384'], scopes: 'both', secret: true },
  ids: 'number',
  refusals: {},
  notices: {},
  sanitisesText: false,
};
