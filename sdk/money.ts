/** Money as whole numbers, so that sums are exact in every store. */

/** 1e-9 US dollars; exact up to nine million dollars. */
export type NanoDollars = number;

const perDollar = 1_000_000_000;

/** Rounded up: what is too little for a nano-dollar is not for free. */
export function toNanoDollars(usd: number): NanoDollars {
  // What binary fractions add to a price is no money.
  return Math.ceil(Number((usd * perDollar).toPrecision(12)));
}

export function toUsd(amount: NanoDollars): number {
  return amount / perDollar;
}
