// Which of two versions of a remote resource came first, where that can be told.

/** Only versions that are numbers have an order. */
export function areOrdered(left: string | undefined, right: string | undefined): boolean {
  return isNumber(left) && isNumber(right);
}

export function isEarlierVersion(version: string | undefined, known: string | undefined): boolean {
  return areOrdered(version, known) && Number(version) < Number(known);
}

function isNumber(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,15}$/.test(text);
}
