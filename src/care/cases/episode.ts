// What makes an EpisodeOfCare a case, and where it keeps what R4 has no element for.
import type { CodeableConcept, EpisodeOfCare, EpisodeOfCareStatusHistory, Extension } from '@medplum/fhirtypes';
import type { Coded } from '../coded.ts';
import { hasCode } from '../concept.ts';
import { CODE_SYSTEM, EXTENSION } from '../systems.ts';

export type CaseStatus = EpisodeOfCare['status'];

/** Search value of the type that cases have. */
export const CASE_TYPE = `${CODE_SYSTEM.episodeType}|case-management`;
/** Search value of the statuses in which a case is not over. */
export const OPEN_STATUSES = 'planned,waitlist,active,onhold';

const OVER: ReadonlySet<string> = new Set(['finished', 'cancelled', 'entered-in-error']);

export const isOver = ({ status }: EpisodeOfCare) => OVER.has(status);

export function isCase({ type }: EpisodeOfCare): boolean {
  return type?.some((each) => hasCode(each, CODE_SYSTEM.episodeType, 'case-management')) ?? false;
}

/** The programme that the case is part of; undefined: none in particular. */
export function programmeOf({ type }: EpisodeOfCare): CodeableConcept | undefined {
  return type?.find((each) => !each.coding?.some(({ system }) => system === CODE_SYSTEM.episodeType));
}

/** Equal for the same programme, whether it is known by code or by words. */
export function programmeKey(programme: CodeableConcept | Coded | undefined): string {
  if (!programme) return '';
  const { system, code } = 'coding' in programme ? (programme.coding?.[0] ?? {}) : (programme as Coded);
  return code === undefined ? (programme.text ?? '').trim().toLowerCase() : `${system ?? ''}|${code}`;
}

type Extended = EpisodeOfCare | EpisodeOfCareStatusHistory;

export function extensionOf(element: Extended, url: string): Extension | undefined {
  return element.extension?.find((each) => each.url === url);
}

/** The element with the extension instead of what it had under the URL; undefined takes it away. */
export function withExtension<T extends Extended>(
  element: T,
  url: string,
  value: Omit<Extension, 'url'> | undefined,
): T {
  const others = element.extension?.filter((each) => each.url !== url) ?? [];
  const { extension: _, ...rest } = element;
  const extension = value ? [...others, { url, ...value }] : others;
  return (extension.length > 0 ? { ...rest, extension } : rest) as T;
}

export function conceptsAt(episode: EpisodeOfCare, url: string): CodeableConcept[] {
  return (episode.extension ?? []).flatMap((each) => (each.url === url ? (each.valueCodeableConcept ?? []) : []));
}

export const priorityOf = (episode: EpisodeOfCare) => extensionOf(episode, EXTENSION.casePriority)?.valueCode;
