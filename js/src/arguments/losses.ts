// Finds values that JSON would lose, and says what to send instead. JSON.stringify() silently turns a Map and a Promise into
// `{}` and NaN into null, and drops a function.

import { isPlatformObject, tagOf } from './invalid.js';

const AS_BYTES = 'Send its bytes as base64 text, or a reference to them.';

/** The advice for some kinds of objects; DATA_ONLY serves for all others. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['Map', 'Send Object.fromEntries(map) or [...map].'],
  ['Set', 'Send [...set].'],
  ['Promise', 'Await it first.'],
  ['Error', 'Send { message: error.message }.'],
  ['ArrayBuffer', AS_BYTES],
  ['Blob', AS_BYTES],
  ['File', AS_BYTES],
]);

const DATA_ONLY = 'Send the data that you need of it as a plain object.';
const AS_NULL = 'which JSON turns into null. Send null.';

/** The boxed primitives, which JSON unwraps. */
const UNWRAPPED: ReadonlySet<string> = new Set(['Number', 'String', 'Boolean']);

function lossOfNumber(value: number): string | undefined {
  return Number.isFinite(value) ? undefined : `is ${value}, ${AS_NULL}`;
}

/** Returns whether an object of any realm is plain: its prototype is null or an Object.prototype. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function hasSymbolProperty(value: object): boolean {
  const isEnumerable = Object.prototype.propertyIsEnumerable;
  return Object.getOwnPropertySymbols(value).some((symbol) => isEnumerable.call(value, symbol));
}

function lossOfObject(value: object): string | undefined {
  if (Array.isArray(value)) {
    // An array without named properties has at most as many keys as elements. Holes are found when they are visited.
    const isListed = Object.keys(value).length <= value.length;
    return isListed ? undefined : 'is an array with named properties, which JSON drops.';
  }
  const tag = tagOf(value);
  if (tag === 'Number') return lossOfNumber(Number(value));
  if (UNWRAPPED.has(tag)) return undefined;
  if (tag === 'Arguments' || isPlatformObject(tag)) {
    const advice = ArrayBuffer.isView(value) ? AS_BYTES : (ADVICE.get(tag) ?? DATA_ONLY);
    return `is of the kind ${tag}, which JSON does not keep. ${advice}`;
  }
  if (hasSymbolProperty(value)) return 'has a property named by a symbol, which JSON drops.';
  if (isPlain(value)) return undefined;
  if (typeof (value as { then?: unknown }).then === 'function') return 'is a thenable. Await it first.';
  if (Object.keys(value).length > 0) return undefined;
  return `is an instance of a class, of which JSON keeps nothing. Give the class a toJSON(). ${DATA_ONLY}`;
}

/** An undefined property is left out, as JSON does. An undefined element would become null. */
function lossOfUndefined(holder: object, name: string): string | undefined {
  if (!Object.hasOwn(holder, name)) return `is a hole in an array, ${AS_NULL}`;
  if ((holder as Record<string, unknown>)[name] !== undefined) return 'has a toJSON() that returns nothing.';
  return Array.isArray(holder) ? `is undefined, ${AS_NULL}` : undefined;
}

/** An invalid Date becomes null in JSON. */
function lossOfNull(holder: object, name: string): string | undefined {
  const original = (holder as Record<string, unknown>)[name];
  if (typeof original !== 'object' || original === null || tagOf(original) !== 'Date') return undefined;
  return `is an invalid Date, ${AS_NULL}`;
}

/**
 * Says what JSON would lose of a member, as the end of a sentence that begins with the member's path; undefined if JSON keeps
 * it. `value` is the member as its toJSON() returned it. The members of `value` are not examined.
 */
export function lossOf(holder: object, name: string, value: unknown): string | undefined {
  switch (typeof value) {
    case 'object':
      return value === null ? lossOfNull(holder, name) : lossOfObject(value);
    case 'number':
      return lossOfNumber(value);
    case 'undefined':
      return lossOfUndefined(holder, name);
    case 'bigint':
      return 'is a BigInt, which JSON does not have. Send it as text.';
    case 'function':
      return 'is a function, which JSON does not have.';
    case 'symbol':
      return 'is a symbol, which JSON does not have.';
    default:
      return undefined;
  }
}
