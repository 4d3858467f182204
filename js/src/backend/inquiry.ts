// The evidence and the decision of authorize() about an invocation's context, and the settings of the relay for it. All are
// obtained once per invocation, however much is published during it.

import type { ForgeContext } from '../context/properties.js';
import { authorized, type Decision } from './authorization.js';
import type { Backend } from './backend.js';
import { gatherEvidence, type Evidence } from './evidence.js';
import type { PendingSettings } from './relay-settings.js';

/** The answers for one invocation, per context: a function may publish with several contexts. */
export class Inquiry {
  readonly #backend: Backend;
  readonly #evidence = new WeakMap<ForgeContext, Promise<Evidence>>();
  readonly #settings = new WeakMap<ForgeContext, PendingSettings>();
  readonly #decisions = new WeakMap<ForgeContext, Promise<Decision>>();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  evidence(context: ForgeContext): Promise<Evidence> {
    return once(this.#evidence, context, () => gatherEvidence(this.#backend, context));
  }

  settings(context: ForgeContext): PendingSettings {
    const existing = this.#settings.get(context);
    if (existing) return existing;
    const read = this.#backend.settings(context);
    this.#settings.set(context, read);
    // The next call repeats a failed request.
    read.settings.catch(() => this.#settings.delete(context));
    return read;
  }

  /** Resolves with undefined if the app has no authorize(). */
  async decision(context: ForgeContext): Promise<Decision | undefined> {
    const { authorize } = this.#backend;
    return authorize && once(this.#decisions, context, () => authorized(authorize, context));
  }
}

/** Remembers successful results only, so that the next call repeats a failed request. */
function once<T>(known: WeakMap<object, Promise<T>>, context: object, request: () => Promise<T>): Promise<T> {
  const existing = known.get(context);
  if (existing) return existing;
  const pending = request();
  known.set(context, pending);
  pending.catch(() => known.get(context) === pending && known.delete(context));
  return pending;
}

const inquiries = new WeakMap<Backend, WeakMap<object, Inquiry>>();

/** Returns the inquiry of an invocation. Outside an invocation, every call has a new one. */
export function inquiryOf(backend: Backend, invocation: object | undefined): Inquiry {
  if (invocation === undefined) return new Inquiry(backend);
  let ofBackend = inquiries.get(backend);
  if (!ofBackend) inquiries.set(backend, (ofBackend = new WeakMap()));
  let inquiry = ofBackend.get(invocation);
  if (!inquiry) ofBackend.set(invocation, (inquiry = new Inquiry(backend)));
  return inquiry;
}
