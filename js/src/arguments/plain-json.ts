// Converts payloads and claims into JSON text, and refuses a value that would arrive as another one.

import { SealwireError } from '../errors/sealwire-error.js';
import { messageOf } from '../errors/failure-of.js';
import { invalid } from './invalid.js';
import { lossOf } from './losses.js';

/** The maximum number of characters of a name and of a path in an error: a name may be as long as the value itself. */
const MAX_NAME_LENGTH = 64;
const MAX_PATH_LENGTH = 200;

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

function stepTo(holder: object, name: string): string {
  if (Array.isArray(holder)) return `[${name}]`;
  const isIdentifier = /^[A-Za-z_$][\w$]*$/.test(name) && name.length <= MAX_NAME_LENGTH;
  return isIdentifier ? `.${name}` : `[${JSON.stringify(shortened(name, MAX_NAME_LENGTH))}]`;
}

/** Follows JSON.stringify() through a value, and tracks the path of the visited member. */
class PathTracker {
  /** The objects that contain the member, outermost first, and the step that leads to each from the one before. */
  readonly #objects: object[] = [];
  readonly #steps: string[] = [];
  readonly #containing = new Set<object>();

  /** Leaves the objects inside `holder`, the innermost object that contains the next member. */
  leaveTo(holder: object): void {
    while (this.#objects.length > 0 && this.#objects.at(-1) !== holder) {
      this.#containing.delete(this.#objects.pop() as object);
      this.#steps.pop();
    }
  }

  enter(object: object, step: string): void {
    this.#objects.push(object);
    this.#steps.push(step);
    this.#containing.add(object);
  }

  isWithin(object: object): boolean {
    return this.#containing.has(object);
  }

  /** Returns the path of a member of the innermost object. */
  path(step: string): string {
    return shortened([...this.#steps, step].join(''), MAX_PATH_LENGTH);
  }
}

/**
 * Returns a value as JSON text. A part that JSON would lose is refused with a SealwireError that names its path, such as
 * `payload.items[2].owner`; `root` is the first part of the path. `refusalOf` may refuse texts and names too: it returns the
 * end of a sentence that begins with the path.
 */
export function plainJson(
  root: string,
  value: unknown,
  refusalOf: (text: string) => string | undefined = () => undefined,
): string {
  const tracker = new PathTracker();
  let isRoot = true;

  function visit(this: object, name: string, member: unknown): unknown {
    tracker.leaveTo(this);
    const step = isRoot ? root : stepTo(this, name);
    const text = isRoot ? undefined : refusalOf(name);
    isRoot = false;
    const refusal =
      lossOf(this, name, member) ?? text ?? (typeof member === 'string' ? refusalOf(member) : undefined);
    if (refusal !== undefined) throw invalid(`${tracker.path(step)} ${refusal}`);
    if (typeof member === 'object' && member !== null) {
      if (tracker.isWithin(member)) {
        throw invalid(`${tracker.path(step)} is an object that contains itself: JSON has no cycles.`);
      }
      tracker.enter(member, step);
    }
    return member;
  }

  try {
    // Every value for which JSON.stringify() returns undefined was refused by visit().
    return JSON.stringify(value, visit) as string;
  } catch (cause) {
    if (cause instanceof SealwireError) throw cause;
    const why = cause instanceof RangeError ? 'it is nested too deeply.' : messageOf(cause);
    throw new SealwireError('INVALID_ARGUMENT', `The ${root} cannot be turned into JSON: ${why}`, { cause });
  }
}
