// What an ADT feed sends: stays of many patients, each admitted, moved and updated, every message with its own control id.

const PLACES = ['4EAST', '5WEST', 'ICU', 'MED2', 'SURG'];
const DIAGNOSES = ['I50.9', 'E11.9', 'J18.9', 'N17.9', 'I63.9'];

/** The facility of a sender that asks for commit acknowledgements. */
export const COMMITS = 'HARBOR2';

/** One stay: admission, transfer, three updates; with its discharge when `ends`. */
export function stayOf(run: number, number: number, { ends, commits }: Feed): string[] {
  const events = ['A01', 'A08', 'A02', 'A08', 'A08', ...(ends ? ['A03'] : [])];
  return events.map((event, index) => message(run, number, event, index, commits));
}

export interface Feed {
  readonly ends: boolean;
  /** MSH-15 asks for a commit acknowledgement. */
  readonly commits: boolean;
}

function message(run: number, number: number, event: string, minute: number, commits: boolean): string {
  const [facility, asks] = commits ? [COMMITS, 'AL|NE'] : ['HARBOR', '|'];
  const time = `202611201${number % 10}${String(minute + 10)}00`;
  const place = PLACES[(number + (minute > 1 ? 1 : 0)) % PLACES.length];
  const mrn = `${run}${number}`;
  const left = event === 'A03' ? '20261124100000' : '';
  return [
    `MSH|^~\\&|BENCH|${facility}|BATON|CASEMGMT|${time}||ADT^${event}|${mrn}-${minute}|P|2.5.1|||${asks}||UNICODE UTF-8`,
    `EVN|${event}|${time}`,
    `PID|1||${mrn}^^^HARBOR^MR||Bench${number}^Pat^Q||1948${String((number % 12) + 1).padStart(2, '0')}07|F|||${number} Quay Street^^Portsea^ME^04101^USA^H||^PRN^PH^^1^207^5550123|||||||||||||||||N`,
    `PV1|1|I|${place}^${number % 40}^A^HARBOR||||15280${number % 50}^Lindqvist^Sven^^^Dr.^^^NPI^L^^^NPI|||MED||||7|||||V${mrn}^^^HARBOR^VN|||||||||||||||||${left ? '01' : ''}||||||||20261120081500|${left}`,
    `DG1|1||${DIAGNOSES[number % DIAGNOSES.length]}^Diagnosis^I10||20261120|A|||||||||1`,
  ]
    .map((line) => `${line}\r`)
    .join('');
}
