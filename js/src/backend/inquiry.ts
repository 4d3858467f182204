// Asks about an invocation's context once for each invocation, however much is published during it: the evidence, and
// what authorize() says.

import type { ForgeContext } from '../context/properties.js';
import { authorized, type Decision } from './authorization.js';
import type { Backend } from './backend.js';
import { gatherEvidence, type Evidence } from './evidence.js';

/** The questions asked during one invocation and their answers. A function may publish with several contexts. */
export class Inquiry {
  readonly #backend: Backend;
  readonly #evidence = new WeakMap<ForgeContext, Promise<Evidence>>();
  readonly #decisions = new WeakMap<ForgeContext, Promise<Decision>>();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  evidence(context: ForgeContext): Promise<Evidence> {
    return once(this.#evidence, context, () => gatherEvidence(this.#backend, context));
  }

  /** Undefined where there is no authorize() to ask. */
  async decision(context: ForgeContext): Promise<Decision | undefined> {
    const { authorize } = this.#backend;
    return authorize && once(this.#decisions, context, () => authorized(authorize, context));
  }
}

/** Keeps answers only: the next call repeats a question that failed. */
function once<T>(asked: WeakMap<object, Promise<T>>, context: object, ask: () => Promise<T>): Promise<T> {
  const existing = asked.get(context);
  if (existing) return existing;
  const asking = ask();
  asked.set(context, asking);
  asking.catch(() => asked.get(context) === asking && asked.delete(context));
  return asking;
}

/** Ends with its invocation. Outside of one, every call asks anew. */
export function inquiryOf(backend: Backend, invocation: object | undefined): Inquiry {
  if (invocation === undefined) return new Inquiry(backend);
  const existing = backend.inquiries.get(invocation);
  if (existing) return existing;
  const inquiry = new Inquiry(backend);
  backend.inquiries.set(invocation, inquiry);
  return inquiry;
}
