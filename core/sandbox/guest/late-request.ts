/** A request that is made when a rule first looks at it: most look at facts only, and making it takes longer than asking them. */

interface Late {
  made: object | undefined;
  make(): object;
}

/** @param make called at most once */
export function createLateRequest(make: () => object): object {
  const late: Late = { made: undefined, make };
  return new Proxy(late, traps);
}

function madeOf(late: Late): object {
  return (late.made ??= late.make());
}

/** One for all: everything is passed on to what was made. */
const traps: ProxyHandler<Late> = {
  get: (late, key) => Reflect.get(madeOf(late), key) as unknown,
  set: (late, key, value) => Reflect.set(madeOf(late), key, value),
  has: (late, key) => Reflect.has(madeOf(late), key),
  deleteProperty: (late, key) => Reflect.deleteProperty(madeOf(late), key),
  ownKeys: (late) => Reflect.ownKeys(madeOf(late)),
  getOwnPropertyDescriptor: (late, key) => Reflect.getOwnPropertyDescriptor(madeOf(late), key),
  defineProperty: (late, key, descriptor) => Reflect.defineProperty(madeOf(late), key, descriptor),
  getPrototypeOf: (late) => Reflect.getPrototypeOf(madeOf(late)),
  setPrototypeOf: (late, prototype) => Reflect.setPrototypeOf(madeOf(late), prototype),
  preventExtensions: () => false,
};
