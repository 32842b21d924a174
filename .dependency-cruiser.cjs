// The one-way streets of docs/architecture.md. A folder may import itself and what its row names.
const STORE_INTERFACE = ['store/store', 'store/alert', 'store/closed-meanwhile', 'store/consumer', 'store/cursor', 'store/lease', 'store/pass-over', 'store/revision', 'store/unchanged'];

const MAY_IMPORT = {
  fhir: ['fault', 'clock'],
  store: ['fhir', 'fault', 'clock'],
  access: ['fhir', 'fault', 'clock', ...STORE_INTERFACE],
  audit: ['access', 'store', 'care/derived-id', 'fhir', 'fault', 'clock'],
  intake: ['fhir', 'fault', 'clock', ...STORE_INTERFACE],
  care: ['fhir', 'fault', 'clock', ...STORE_INTERFACE],
  transitions: ['care', 'fhir', 'fault', 'clock', ...STORE_INTERFACE],
  notify: ['access/trustworthy-url', 'care', 'fhir', 'fault', 'clock', ...STORE_INTERFACE],
  subscriptions: ['access', 'notify/post', 'fhir', 'fault', 'clock', ...STORE_INTERFACE],
  registry: ['care', 'fhir', 'fault', 'clock', ...STORE_INTERFACE],
  remote: ['fhir', 'fault', 'clock'],
  sync: ['access/trustworthy-url', 'store', 'remote', 'fhir', 'fault', 'clock'],
  server: ['care', 'store', 'access', 'audit', 'intake', 'transitions', 'notify', 'subscriptions', 'sync', 'fhir', 'fault', 'clock'],
};

const layer = ([folder, allowed]) => ({
  name: `${folder}-imports`,
  comment: `${folder} may import only itself and: ${allowed.join(', ')}`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: [folder, ...allowed].map((to) => `^src/${to}(/|\\.ts$)`) },
});

module.exports = {
  forbidden: [
    ...Object.entries(MAY_IMPORT).map(layer),
    {
      name: 'fault-and-clock-stand-alone',
      severity: 'error',
      from: { path: '^src/(fault|clock)\\.ts$' },
      to: { path: '^src/', pathNot: '^src/(fault|clock)\\.ts$' },
    },
    {
      name: 'only-the-doors-know-config',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(main|serve|app|cli|commands|config|configured-facilities|doctor|file-commands|sandbox/.*)\\.ts$' },
      to: { path: '^src/(config|app|main|cli|commands)\\.ts$' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^src/', pathNot: '^src/(main|cli)\\.ts$' }, to: {} },
    {
      name: 'no-dev-dependencies-in-src',
      comment: 'type-only imports (@medplum/fhirtypes) are fine',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'resolvable',
      comment: '@medplum/fhirtypes has only types, which the resolver does not look for',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^@medplum/fhirtypes$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: 'specify',
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'], exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
