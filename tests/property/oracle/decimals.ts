// Decimals compared exactly, as whole numbers of a common last digit.

/** `mantissa` times ten to the power of `exponent`. */
export interface Decimal {
  readonly mantissa: bigint;
  readonly exponent: number;
}

export function decimal(text: string): Decimal {
  const [, sign, digits = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  return { mantissa: BigInt(`${sign}${digits}${fraction}`), exponent: Number(exponent) - fraction.length };
}

export function compare(a: Decimal, b: Decimal): number {
  const exponent = Math.min(a.exponent, b.exponent);
  const scale = ({ mantissa, exponent: own }: Decimal) => mantissa * 10n ** BigInt(own - exponent);
  const [left, right] = [scale(a), scale(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

export function plus(a: Decimal, b: Decimal): Decimal {
  const exponent = Math.min(a.exponent, b.exponent);
  const scale = ({ mantissa, exponent: own }: Decimal) => mantissa * 10n ** BigInt(own - exponent);
  return { mantissa: scale(a) + scale(b), exponent };
}

/** Half a unit of the last digit. The specification gives 1e2 as [95, 105): half a unit of the digit below. */
export function halfUnit(text: string): Decimal {
  const { exponent } = decimal(text);
  return { mantissa: 5n, exponent: exponent > 0 ? exponent - 2 : exponent - 1 };
}

export function tenth({ mantissa, exponent }: Decimal): Decimal {
  return { mantissa: mantissa < 0n ? -mantissa : mantissa, exponent: exponent - 1 };
}

export function negative({ mantissa, exponent }: Decimal): Decimal {
  return { mantissa: -mantissa, exponent };
}
