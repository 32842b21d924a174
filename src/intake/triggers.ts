// The ADT events that are read, and what each of them says. HL7 v2.9 chapter 3; statuses after the v2-to-FHIR guide.

/** What an event says of the stay, whatever else the message holds; absent: it only speaks where nothing is known. */
type StaySaid = 'in-progress' | 'registered' | 'planned' | 'finished' | 'cancelled';

/**
 * What an event says of where the patient is. `moved`: is in PV1-3 from now on. `returned`: the last move was a mistake.
 * `seen`: PV1-3 is what the sender holds now. `awaits`: is to go to PV1-42 and has not gone. `stays`: is not to go any more.
 */
export type PlaceSaid = 'moved' | 'returned' | 'seen' | 'awaits' | 'stays';

interface TriggerRule {
  readonly name: string;
  /** Whether PV1 is read: always, when it names a visit, or never because the event is about the person. */
  readonly visit: 'required' | 'if-named' | 'none';
  readonly stay?: StaySaid;
  readonly place?: PlaceSaid;
  /** It may be the first that is heard of a visit. */
  readonly opens?: true;
  /** PV1-45 and PV2-9 are an expectation: nobody has left. */
  readonly expects?: 'leaving' | 'no-leaving';
  /** The sender no longer keeps the person. */
  readonly removes?: true;
  /** What MRG names is one with what PID (PV1) names: the person, or the account or visit. */
  readonly joins?: 'persons' | 'visits';
  /** IAM is read. */
  readonly allergies?: true;
}

export const TRIGGERS = {
  A01: { name: 'admit', visit: 'required', stay: 'in-progress', place: 'moved', opens: true },
  A02: { name: 'transfer', visit: 'required', place: 'moved' },
  A03: { name: 'discharge', visit: 'required', stay: 'finished', place: 'seen' },
  A04: { name: 'register', visit: 'required', stay: 'registered', place: 'moved', opens: true },
  A05: { name: 'pre-admit', visit: 'required', stay: 'planned', place: 'seen', opens: true },
  A06: { name: 'outpatient to inpatient', visit: 'required', stay: 'in-progress', place: 'moved', opens: true },
  A07: { name: 'inpatient to outpatient', visit: 'required', stay: 'in-progress', place: 'moved', opens: true },
  A08: { name: 'update', visit: 'required', place: 'seen', opens: true },
  A09: { name: 'departing', visit: 'required', place: 'seen' },
  A10: { name: 'arriving', visit: 'required', place: 'moved' },
  A11: { name: 'cancel admit', visit: 'required', stay: 'cancelled' },
  A12: { name: 'cancel transfer', visit: 'required', place: 'returned' },
  A13: { name: 'cancel discharge', visit: 'required', stay: 'in-progress', place: 'seen' },
  A14: { name: 'pending admit', visit: 'required', stay: 'planned', place: 'seen', opens: true },
  A15: { name: 'pending transfer', visit: 'required', place: 'awaits' },
  A16: { name: 'pending discharge', visit: 'required', place: 'seen', expects: 'leaving' },
  A25: { name: 'cancel pending discharge', visit: 'required', place: 'seen', expects: 'no-leaving' },
  A26: { name: 'cancel pending transfer', visit: 'required', place: 'stays' },
  A27: { name: 'cancel pending admit', visit: 'required', stay: 'cancelled' },
  A28: { name: 'add person', visit: 'none', opens: true },
  A29: { name: 'delete person', visit: 'none', removes: true, opens: true },
  A31: { name: 'update person', visit: 'none', opens: true },
  A40: { name: 'merge patients', visit: 'none', joins: 'persons', opens: true },
  A41: { name: 'merge accounts', visit: 'if-named', place: 'seen', joins: 'visits', opens: true },
  A45: { name: 'move visit', visit: 'required', place: 'seen', joins: 'visits', opens: true },
  A47: { name: 'change patient identifier', visit: 'none', joins: 'persons', opens: true },
  A60: { name: 'update allergies', visit: 'if-named', place: 'seen', opens: true, allergies: true },
} as const satisfies Record<string, TriggerRule>;

export type Trigger = keyof typeof TRIGGERS;

export function isTrigger(code: string): code is Trigger {
  return Object.hasOwn(TRIGGERS, code);
}

export function ruleOf(trigger: Trigger): TriggerRule {
  return TRIGGERS[trigger];
}
