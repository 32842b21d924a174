// What a consent withholds, worked out from the tree of its provisions by plain recursion, resource by resource: nothing of
// it is shared with the rules and the SQL that it judges.
import type { Consent, ConsentProvision, Resource } from '@medplum/fhirtypes';

export interface Question {
  readonly resource: Resource;
  readonly actors: readonly string[];
  /** One purpose; undefined when the asker states none. */
  readonly purpose: string | undefined;
  readonly at: number;
}

type Reading = 'deny' | 'permit';
type Element = 'actor' | 'purpose' | 'securityLabel' | 'class' | 'data' | 'period';
/** `none`: does not limit. `unknown`: limits in a way that is not understood. */
type Verdict = boolean | 'none' | 'unknown';

const WIDER: Record<string, string[]> = { CAREMGT: ['HOPERAT'], ETREAT: ['TREAT'] };
const NARROWER: Record<string, string[]> = { SPI: ['PSY', 'SUD', 'ETHUD'], SUD: ['ETHUD'] };
const LEVELS = 'ULMNRV';

/** True when the consent keeps the resource from the asker. */
export function denies(consent: Consent, question: Question): boolean {
  if (consent.status !== 'active') return false;
  const scope = consent.scope.coding?.[0]?.code;
  if (scope === 'research') return false;
  const trusted = scope === 'patient-privacy';
  const directive = consent.policyRule?.coding?.[0]?.code;
  const root = consent.provision;
  const limits = root && !root.type ? root : {};
  const top: ConsentProvision[] = !root ? [] : root.type ? [root] : (root.provision ?? []);
  if (!aboutDisclosure(limits)) return false;
  const base = { ...limits, type: directive === 'OPTOUT' ? 'deny' : 'permit' } as ConsentProvision;
  return deniesAt([base], top, question, trusted);
}

/** Whether the last provision of the path, or one inside of it, denies. */
function deniesAt(
  path: readonly ConsentProvision[],
  inner: readonly ConsentProvision[],
  question: Question,
  trusted: boolean,
): boolean {
  const relevant = inner.filter(aboutDisclosure);
  const isException = (provision: ConsentProvision) =>
    trusted &&
    provision.type === 'permit' &&
    isClear(provision, question) &&
    holds([...path, provision], 'permit', question);
  if (path.at(-1)?.type !== 'permit' && holds(path, 'deny', question) && !relevant.some(isException)) return true;
  return relevant.some((provision) => deniesAt([...path, provision], provision.provision ?? [], question, trusted));
}

function holds(path: readonly ConsentProvision[], reading: Reading, question: Question): boolean {
  return (['actor', 'purpose', 'securityLabel', 'class', 'data', 'period'] as const).every((element) => {
    const verdicts = path.map((provision) => judge(provision, element, reading, question));
    if (element === 'actor' || element === 'purpose' || element === 'securityLabel') {
      const nearest = verdicts.findLast(
        (verdict) => verdict !== 'none' && (reading === 'permit' || verdict !== 'unknown'),
      );
      return nearest === undefined || nearest === true;
    }
    return verdicts.every(
      (verdict) => verdict === true || verdict === 'none' || (reading === 'deny' && verdict === 'unknown'),
    );
  });
}

/** A permit of which everything is understood, or at least one alternative of each element. */
function isClear(provision: ConsentProvision, question: Question): boolean {
  if (provision.code || provision.dataPeriod) return false;
  return (['actor', 'purpose', 'securityLabel', 'class', 'data'] as const).every(
    (element) => judge(provision, element, 'permit', question) !== 'unknown',
  );
}

function judge(provision: ConsentProvision, element: Element, reading: Reading, question: Question): Verdict {
  if (element === 'period') {
    const { start, end } = provision.period ?? {};
    const at = Temporal.Instant.fromEpochMilliseconds(question.at).toString().slice(0, 10);
    return (start === undefined || start <= at) && (end === undefined || at <= end);
  }
  const alternatives = provision[element] as readonly unknown[] | undefined;
  if (!alternatives?.length) return 'none';
  const verdicts = alternatives.map((each) => matches(each, element, reading, question));
  if (reading === 'deny') return verdicts.includes('unknown') ? 'unknown' : verdicts.includes(true);
  return verdicts.every((verdict) => verdict === 'unknown') ? 'unknown' : verdicts.includes(true);
}

function matches(
  value: unknown,
  element: Exclude<Element, 'period'>,
  reading: Reading,
  question: Question,
): boolean | 'unknown' {
  const { resource, actors, purpose, at: _ } = question;
  if (element === 'actor') {
    const { role, reference } = value as { role: { coding: { code: string }[] }; reference: { reference: string } };
    if (role.coding[0]?.code !== 'IRCP') return 'unknown';
    return actors.length === 0 ? reading === 'deny' : actors.includes(reference.reference);
  }
  if (element === 'data') {
    const { meaning, reference } = value as { meaning: string; reference: { reference: string } };
    return meaning === 'instance' ? reference.reference === `${resource.resourceType}/${resource.id}` : 'unknown';
  }
  const { system, code } = value as { system?: string; code: string };
  if (system === undefined || (system === 'urn:unknown' && element !== 'securityLabel')) return 'unknown';
  if (element === 'class') return code === resource.resourceType;
  if (element === 'purpose') {
    if (purpose === undefined) return reading === 'deny';
    return code === purpose || WIDER[purpose]?.includes(code) === true;
  }
  return (resource.meta?.security ?? []).some((label) => {
    if (label.system !== system) return false;
    if (!system.endsWith('v3-Confidentiality'))
      return label.code === code || NARROWER[code]?.includes(label.code ?? '') === true;
    const difference = LEVELS.indexOf(label.code ?? '') - LEVELS.indexOf(code);
    return reading === 'deny' ? difference >= 0 : difference <= 0;
  });
}

function aboutDisclosure({ action }: ConsentProvision): boolean {
  const codes = (action ?? []).map(({ coding }) => coding?.[0]?.code);
  return codes.length === 0 || codes.includes('access');
}
