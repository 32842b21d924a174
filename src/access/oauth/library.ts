// oidc-provider, imported without the line it prints about every Node that is not an LTS release yet: Baton brings its own
// Node and is tested on it.
const { warn } = console;
console.warn = () => {};
const library = await import('oidc-provider').finally(() => {
  console.warn = warn;
});

export const { Provider, errors, interactionPolicy } = library;
