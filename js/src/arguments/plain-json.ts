// Turns a value into JSON text, and refuses a value that would arrive as something else. Payloads and claims pass through
// here.

import { SealwireError } from '../errors/sealwire-error.js';
import { messageOf } from '../errors/failure-of.js';
import { invalid } from './invalid.js';
import { lossOf } from './losses.js';

/** Most characters of a name and of a path in an error: names may be as long as the value itself. */
const MAX_NAME = 64;
const MAX_PATH = 200;

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

function step(holder: object, name: string): string {
  if (Array.isArray(holder)) return `[${name}]`;
  const isIdentifier = /^[A-Za-z_$][\w$]*$/.test(name) && name.length <= MAX_NAME;
  return isIdentifier ? `.${name}` : `[${JSON.stringify(shortened(name, MAX_NAME))}]`;
}

/** Follows JSON.stringify() through a value, and knows the way to the member that is visited. */
class Way {
  /** The objects around the member, outermost first, and how each is reached from the one before. */
  readonly #objects: object[] = [];
  readonly #steps: string[] = [];
  readonly #around = new Set<object>();

  /** `holder` is the innermost object around the member. */
  backTo(holder: object): void {
    while (this.#objects.length > 0 && this.#objects.at(-1) !== holder) {
      this.#around.delete(this.#objects.pop() as object);
      this.#steps.pop();
    }
  }

  enter(object: object, how: string): void {
    this.#objects.push(object);
    this.#steps.push(how);
    this.#around.add(object);
  }

  isWithin(object: object): boolean {
    return this.#around.has(object);
  }

  /** The path of a member of the innermost object. */
  path(how: string): string {
    return shortened([...this.#steps, how].join(''), MAX_PATH);
  }
}

/**
 * The value as JSON text. Anything that JSON would lose is refused with a SealwireError that names its path, such as
 * `payload.items[2].owner`; `root` is the path's first part. `refusalOf` may refuse texts and names as well: it returns the
 * end of a sentence that begins with the path.
 */
export function plainJson(
  root: string,
  value: unknown,
  refusalOf: (text: string) => string | undefined = () => undefined,
): string {
  const way = new Way();
  let isRoot = true;

  function visit(this: object, name: string, member: unknown): unknown {
    way.backTo(this);
    const how = isRoot ? root : step(this, name);
    const text = isRoot ? undefined : refusalOf(name);
    isRoot = false;
    const refusal =
      lossOf(this, name, member) ?? text ?? (typeof member === 'string' ? refusalOf(member) : undefined);
    if (refusal !== undefined) throw invalid(`${way.path(how)} ${refusal}`);
    if (typeof member === 'object' && member !== null) {
      if (way.isWithin(member)) {
        throw invalid(`${way.path(how)} is an object that it is itself a part of: JSON has no cycles.`);
      }
      way.enter(member, how);
    }
    return member;
  }

  try {
    // Everything that has no text was refused on the way.
    return JSON.stringify(value, visit) as string;
  } catch (cause) {
    if (cause instanceof SealwireError) throw cause;
    const why = cause instanceof RangeError ? 'it is nested too deeply.' : messageOf(cause);
    throw new SealwireError('INVALID_ARGUMENT', `The ${root} cannot be turned into JSON: ${why}`, { cause });
  }
}
