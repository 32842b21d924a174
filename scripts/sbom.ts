// `npm run sbom`: what the running program is made of, as CycloneDX, into a file that is not committed. What only builds and
// tests use is left out here and not by `npm sbom --omit dev`, which also leaves out what both use.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = 'baton.cdx.json';
const WORDS = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'];

interface Component {
  readonly 'bom-ref': string;
  readonly name: string;
  readonly version: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

interface Sbom {
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

const { stdout, stderr, status } = spawnSync('npm', WORDS, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
if (status !== 0) throw new Error(`npm sbom failed: ${stderr}`);
const all: Sbom = JSON.parse(stdout);

const components = all.components.filter((component) => !isForDevelopment(component));
const dropped = new Set(all.components.filter(isForDevelopment).map((component) => component['bom-ref']));
const dependencies = all.dependencies
  .filter(({ ref }) => !dropped.has(ref))
  .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((other) => !dropped.has(other)) }));

const listed = new Set(components.map(({ name, version }) => `${name}@${version}`));
const wanted = Object.entries(readJson<{ dependencies: Record<string, string> }>('package.json').dependencies);
const missing = wanted.filter(([name, version]) => !listed.has(`${name}@${version}`));
if (missing.length > 0) throw new Error(`The SBOM lacks ${missing.map((pair) => pair.join('@')).join(', ')}.`);
writeFileSync(FILE, `${JSON.stringify({ ...all, components, dependencies }, null, 2)}\n`);
console.log(`${FILE}: ${components.length} components`);

function isForDevelopment({ properties = [] }: Component): boolean {
  return properties.some(({ name, value }) => name === 'cdx:npm:package:development' && value === 'true');
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8'));
}
