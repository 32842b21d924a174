// A sender's map: FHIR Mapping Language in a file beside the sender's profile, read and checked once.
// https://hl7.org/fhir/R4/mapping-language.html
import { parseMappingLanguage } from '@medplum/core';
import type { ConceptMap, StructureMap, StructureMapGroup, StructureMapGroupRule } from '@medplum/fhirtypes';
import { Fault } from '../../fault.ts';
import { baseStructures } from '../../fhir/base-structures.ts';
import { loadTypes } from './map-types.ts';

export interface SenderMap {
  /** The file's name, for sentences. */
  readonly name: string;
  readonly map: StructureMap;
  /** What the first group is given, in its order: `Message`, then targets. */
  readonly inputs: readonly string[];
  /** Names in it that segments can have. */
  readonly segments: ReadonlySet<string>;
  /** What `translate` may name beside the map's own tables. */
  readonly conceptMaps: readonly ConceptMap[];
}

/** What a group may be given as a target. `Bundle` takes what is made besides. */
const TARGETS = ['Patient', 'Encounter', 'Bundle'];
/** Those that Medplum carries out. */
const TRANSFORMS = ['append', 'copy', 'create', 'evaluate', 'translate', 'truncate', 'uuid'];
const ENDS_EARLY = 'Cant consume unknown more tokens.';

/** @throws Fault unprocessable with file, line and reason */
export function readSenderMap(text: string, name: string, conceptMaps: readonly ConceptMap[]): SenderMap {
  const wrong = (line: number, sentence: string) =>
    new Fault('unprocessable', `profiles/senders/${name}, line ${line}: ${sentence}`);
  const map = parse(text, wrong);
  const groups = map.group ?? [];
  const [first] = groups;
  if (!first) throw wrong(lastLine(text), 'there is no group.');
  const inputs = first.input?.map(({ mode, type }) => `${mode} ${type ?? ''}`) ?? [];
  const [source, ...targets] = inputs;
  const areTargets = targets.length > 0 && targets.every((one) => TARGETS.some((type) => one === `target ${type}`));
  if (source !== 'source Message' || !areTargets) {
    const sentence =
      'the first group takes "source x : Message" and then targets of type Patient, Encounter or Bundle.';
    throw wrong(lineOf(text, `group ${first.name}`), sentence);
  }
  const known = { groups, maps: [...(map.contained ?? []), ...conceptMaps].map((each) => (each as ConceptMap).url) };
  for (const rule of groups.flatMap(rulesOf)) {
    const fault = faultOf(rule, known);
    if (fault) throw wrong(lineOf(text, fault.at), fault.sentence);
  }
  loadTypes([...TARGETS, ...groups.flatMap(rulesOf).flatMap(createdBy)]);
  const segments = new Set(text.match(/\b[A-Z][A-Z0-9]{2}\b/g));
  return { name, map, inputs: first.input?.map(({ type = '' }) => type) ?? [], segments, conceptMaps };
}

function parse(text: string, wrong: (line: number, sentence: string) => Fault): StructureMap {
  const failure = failureOf(text);
  if (failure === undefined) return parseMappingLanguage(text);
  if (failure === ENDS_EARLY) throw wrong(lastLine(text), 'the map ends in the middle of a group or rule.');
  // Medplum does not say where. It reads from the start, so that the first lines up to the mistake fail in the same way.
  const lines = text.split('\n');
  const at = lines.findIndex((_, index) => failureOf(lines.slice(0, index + 1).join('\n')) === failure);
  throw wrong(at + 1, `this is no FHIR Mapping Language (${failure}).`);
}

function failureOf(text: string): string | undefined {
  try {
    parseMappingLanguage(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function rulesOf({ rule = [] }: Pick<StructureMapGroup, 'rule'> | StructureMapGroupRule): StructureMapGroupRule[] {
  return rule.flatMap((one) => [one, ...rulesOf(one)]);
}

interface Known {
  readonly groups: readonly StructureMapGroup[];
  readonly maps: readonly (string | undefined)[];
}

/** What cannot work whatever the message says; `at` is found in the text. */
function faultOf({ target = [], dependent = [] }: StructureMapGroupRule, { groups, maps }: Known) {
  for (const { transform, parameter = [] } of target) {
    const texts = parameter.map(({ valueString }) => valueString ?? '');
    if (transform && !TRANSFORMS.includes(transform))
      return { at: `${transform}(`, sentence: `there is no ${transform}; there is ${TRANSFORMS.join(', ')}.` };
    if (transform === 'create' && !isType(texts[0]))
      return { at: `'${texts[0]}'`, sentence: `"${texts[0]}" is no type of FHIR R4.` };
    if (transform === 'translate' && !maps.includes(texts[1]))
      return { at: `'${texts[1]}'`, sentence: `"${texts[1]}" is neither in the map nor in profiles/concept-maps.` };
  }
  const missing = dependent.find(({ name }) => !groups.some((group) => group.name === name));
  return missing && { at: `${missing.name}(`, sentence: `there is no group ${missing.name}.` };
}

const isType = (name: string | undefined) => baseStructures().some(({ type, abstract }) => type === name && !abstract);

function createdBy({ target = [] }: StructureMapGroupRule): string[] {
  return target.flatMap(({ transform, parameter }) =>
    transform === 'create' ? (parameter?.[0]?.valueString ?? []) : [],
  );
}

const lastLine = (text: string) => text.trimEnd().split('\n').length;

function lineOf(text: string, part: string): number {
  const at = text.indexOf(part);
  return at < 0 ? 1 : text.slice(0, at).split('\n').length;
}
