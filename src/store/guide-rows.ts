// The tables of installed guides: what is there, and the row changes that add one or take one away.
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Resource } from '@medplum/fhirtypes';
import type { Artefact } from '../fhir/artefacts.ts';
import { type InstalledGuide, labelOf } from '../fhir/package/guide.ts';
import type { GuidePackage } from '../fhir/package/read-package.ts';
import type { Sql } from './sql.ts';
import type { SqlRow, Statement } from './store.ts';

/** What validation, search and terminology use; everything else stays in the database. */
const USED = ['StructureDefinition', 'SearchParameter', 'ValueSet', 'CodeSystem', 'ConceptMap'];

const GUIDES =
  'SELECT name, version, canonical, title, dependencies, digest FROM guide ORDER BY installed, name, version';
const ARTEFACTS = `SELECT guide, guide_version, type, url, version, constrains, content FROM guide_resource
  WHERE type IN (${USED.map(() => '?').join(', ')}) ORDER BY guide, guide_version, file`;
const INSERT_GUIDE = `INSERT INTO guide (name, version, canonical, title, dependencies, digest, installed)
  VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;
const INSERT_RESOURCE = `INSERT INTO guide_resource
  (guide, guide_version, file, type, url, version, constrains, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
const DELETE_GUIDE = 'DELETE FROM guide WHERE name = ? AND version = ?';
const DELETE_RESOURCES = 'DELETE FROM guide_resource WHERE guide = ? AND guide_version = ?';

/** In the order they were installed. Content stays compressed until it is asked for. */
export async function readGuides(sql: Pick<Sql, 'all'>): Promise<InstalledGuide[]> {
  const guides = await sql.all(GUIDES);
  if (guides.length === 0) return [];
  const artefacts = new Map<string, Artefact[]>();
  for (const row of await sql.all(ARTEFACTS, USED)) {
    const artefact = artefactFrom(row);
    const known = artefacts.get(artefact.guide);
    if (known) known.push(artefact);
    else artefacts.set(artefact.guide, [artefact]);
  }
  return guides.map((row) => {
    const identity = { name: String(row.name), version: String(row.version) };
    return {
      ...identity,
      canonical: String(row.canonical),
      title: String(row.title),
      dependencies: JSON.parse(String(row.dependencies)) as Record<string, string>,
      digest: String(row.digest),
      artefacts: artefacts.get(labelOf(identity)) ?? [],
    };
  });
}

function artefactFrom(row: SqlRow): Artefact {
  // A copy of its own: the driver may hand out a slice of a larger buffer, which this would keep in memory.
  const content = Uint8Array.from(row.content as Uint8Array);
  return {
    type: String(row.type),
    url: String(row.url),
    version: String(row.version),
    constrains: String(row.constrains),
    guide: labelOf({ name: String(row.guide), version: String(row.guide_version) }),
    read: () => JSON.parse(inflateRawSync(content).toString('utf8')) as Resource,
  };
}

/** For `alongside`: the commit fails with a conflict when the guide is there already. @param now epoch milliseconds */
export function guideInsertion(guide: GuidePackage, now: number): Statement[] {
  const { name, version, canonical, title, dependencies, digest } = guide;
  return [
    {
      sql: INSERT_GUIDE,
      params: [name, version, canonical, title, JSON.stringify(dependencies), digest, now],
      rows: 1,
    },
    ...guide.resources.map(({ file, type, url, version: own, constrains, text }) => ({
      sql: INSERT_RESOURCE,
      params: [name, version, file, type, url, own, constrains, deflateRawSync(text)],
    })),
  ];
}

/** For `alongside`: the commit fails with a conflict when the guide is not there. */
export function guideRemoval(name: string, version: string): Statement[] {
  return [
    { sql: DELETE_RESOURCES, params: [name, version] },
    { sql: DELETE_GUIDE, params: [name, version], rows: 1 },
  ];
}
