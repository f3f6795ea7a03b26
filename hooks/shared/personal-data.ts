/** Finds personal data in a text: kinds that carry a check digit are checked, so that ordinary numbers are not taken for them. */

export type PersonalKind = "credit_card" | "iban" | "us_ssn" | "email" | "phone";

const kinds: Readonly<Record<PersonalKind, { readonly pattern: RegExp; readonly accepts?: (value: string) => boolean }>> = {
  // Not a part of a longer row of digits, an account number for one.
  credit_card: {
    pattern: /(?<![\w.-]|\d[ -])(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{5})(?![\w-]|[ -]\d)/g,
    accepts: isCardNumber,
  },
  iban: { pattern: /(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)/g, accepts: isIban },
  us_ssn: { pattern: /(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])/g },
  email: { pattern: /(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])/g },
  // With a country code: without one every long number would do.
  phone: { pattern: /(?<![\w+])(?:\+|00)[1-9]\d{0,2}(?:[ ./-]?\(?\d{1,4}\)?){2,6}(?!\w)/g, accepts: isPhone },
};

/** How often each of these kinds stands in a text; kinds that do not are left out. @param allow values that are no finding */
export function countPersonalData(
  text: string,
  wanted: readonly PersonalKind[],
  allow: readonly string[],
): Partial<Record<PersonalKind, number>> {
  const counts: Partial<Record<PersonalKind, number>> = {};
  for (const kind of wanted) {
    const { pattern, accepts } = kinds[kind];
    const found = [...text.matchAll(pattern)].map(([value]) => value);
    const count = found.filter((value) => accepts?.(value) !== false && !allow.some((allowed) => value.includes(allowed))).length;
    if (count > 0) counts[kind] = count;
  }
  return counts;
}

/** Luhn's check digit, and a first digit that card networks use. */
function isCardNumber(value: string): boolean {
  const digits = Array.from(value.replaceAll(/\D/g, ""), Number).toReversed();
  if (digits.length < 13 || ![2, 3, 4, 5, 6].includes(digits.at(-1) ?? 0) || new Set(digits).size < 2) return false;
  const sum = digits.reduce((total, digit, index) => total + (index % 2 === 0 ? digit : digit * 2 - (digit > 4 ? 9 : 0)), 0);
  return sum % 10 === 0;
}

/** ISO 13616: moved to the end and read as a number, the first four characters leave 1 modulo 97. */
function isIban(value: string): boolean {
  const letters = value.replaceAll(" ", "");
  if (letters.length < 15) return false;
  let rest = 0;
  for (const character of letters.slice(4) + letters.slice(0, 4)) {
    for (const digit of Number.parseInt(character, 36).toString()) rest = (rest * 10 + Number(digit)) % 97;
  }
  return rest === 1;
}

function isPhone(value: string): boolean {
  const { length } = value.replaceAll(/\D/g, "");
  return length >= 9 && length <= 15;
}
