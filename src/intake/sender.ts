// What is peculiar to one sender, as data: files in profiles/senders, checked when they are read.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConceptMap } from '@medplum/fhirtypes';
import { Fault } from '../fault.ts';
import { isCharset } from './er7/charset.ts';
import { readSenderMap, type SenderMap } from './sender-map/sender-map.ts';

/** One file of profiles/senders. */
interface SenderFile {
  /** MSH-4.1 of its messages. */
  readonly facility: string;
  /** MSH-3.1; every application of the facility when absent. */
  readonly application?: string;
  /** The configured facility whose messages these are, when MSH-4 names it another way. */
  readonly standsFor?: string;
  /** IANA time zone of times without an offset, when it is not the facility's. */
  readonly zone?: string;
  /** HL7 table 0211 name, for messages without MSH-18. */
  readonly charset?: string;
  /** `enhanced`: MSH-15 and 16 decide which acknowledgements go back over MLLP. */
  readonly acknowledgement?: 'original' | 'enhanced';
  /** What AA of original mode says over MLLP: that the message is applied (when absent), or that it is in safe storage. */
  readonly acknowledge?: 'applied' | 'stored';
  /** Field, such as `PV1-36`, to the url of the ConceptMap from its local codes to those of the HL7 table. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Name of a file of FHIR Mapping Language in the same folder, for what a table cannot say. */
  readonly map?: string;
}

export interface Sender extends Omit<SenderFile, 'fields' | 'map'> {
  readonly map?: SenderMap;
  /** Field to its codes and what stands for them. */
  readonly codes: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

const MEMBERS = [
  ...['facility', 'application', 'standsFor', 'zone', 'charset', 'acknowledgement', 'acknowledge', 'fields', 'map'],
];

/**
 * The senders of a folder; none when there is no such folder.
 * @throws Fault unprocessable with file and reason
 */
export function readSenders(folder: string, maps: readonly ConceptMap[]): Sender[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.sort().map((name) => readSender(readJson(join(folder, name), name), maps, name, folder));
}

/** The profile of a message's sender; one that names the application before one that does not. */
export function senderOf(senders: readonly Sender[], application: string, facility: string): Sender | undefined {
  const ofFacility = senders.filter((sender) => sender.facility === facility);
  return (
    ofFacility.find((sender) => sender.application === application) ??
    ofFacility.find((sender) => sender.application === undefined)
  );
}

/**
 * @param folder where its map is
 * @throws Fault unprocessable
 */
export function readSender(given: unknown, maps: readonly ConceptMap[], name: string, folder = ''): Sender {
  const wrong = (sentence: string) => new Fault('unprocessable', `profiles/senders/${name}: ${sentence}`);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) throw wrong('it must be a JSON object.');
  const unknown = Object.keys(given).find((member) => !MEMBERS.includes(member));
  if (unknown) throw wrong(`there is no ${unknown}; there is ${MEMBERS.join(', ')}.`);
  const { fields = {}, map: mapFile, ...file } = given as SenderFile;
  if (typeof file.facility !== 'string' || file.facility === '') throw wrong('facility must be MSH-4 of its messages.');
  if (file.zone !== undefined && !isZone(file.zone)) throw wrong(`"${file.zone}" is no IANA time zone.`);
  if (file.charset !== undefined && !isCharset(file.charset))
    throw wrong(`"${file.charset}" is a character set that Baton does not read.`);
  if (!['original', 'enhanced', undefined].includes(file.acknowledgement))
    throw wrong('acknowledgement is original or enhanced.');
  if (!['applied', 'stored', undefined].includes(file.acknowledge)) throw wrong('acknowledge is applied or stored.');
  const codes = Object.entries(fields).map(([field, url]) => {
    if (!/^[A-Z][A-Z0-9]{2}-[1-9]\d?$/.test(field)) throw wrong(`"${field}" is no field like PV1-36.`);
    const map = maps.find((one) => one.url === url);
    if (!map) throw wrong(`${field} names the ConceptMap ${url}, which is not in profiles/concept-maps.`);
    return [field, codesOf(map)] as const;
  });
  if (mapFile === undefined) return { ...file, codes: new Map(codes) };
  const path = join(folder, mapFile);
  if (!/^[\w.-]+\.map$/.test(mapFile) || !existsSync(path)) throw wrong(`map names no .map file of this folder.`);
  return { ...file, codes: new Map(codes), map: readSenderMap(readFileSync(path, 'utf8'), mapFile, maps) };
}

function codesOf({ group = [] }: ConceptMap): Map<string, string> {
  const pairs = group.flatMap(({ element }) =>
    element.flatMap(({ code, target }): [string, string][] => {
      const to = target?.find(({ equivalence }) => equivalence !== 'unmatched' && equivalence !== 'disjoint')?.code;
      return code && to ? [[code, to]] : [];
    }),
  );
  return new Map(pairs);
}

function readJson(path: string, name: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new Fault('unprocessable', `profiles/senders/${name} cannot be read as JSON.`, { cause });
  }
}

function isZone(zone: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
    return true;
  } catch {
    return false;
  }
}
