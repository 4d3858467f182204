// The frames of one page that have one origin share an object. They run one after the other, in one process, so it needs
// nothing of the browser: Web Locks, BroadcastChannel and storage are refused to frames of another site where a browser
// blocks third-party cookies.

/** Frames of a page that are looked at, at most. */
const MAX_FRAMES = 500;
/** Names the shape of the object too: another version of this package may be in another frame. */
const NAME = '__sealwirePage1';

/** What is in a frame, and the document that it belongs to. */
interface Owned {
  owner: Document;
}

/** The holder of a lock, or one that waits for it. */
export interface Claim extends Owned {
  granted(): void;
}

/** One end of a channel. Copies what it hears into its own frame. */
export interface Ear extends Owned {
  hear(message: unknown): void;
}

/** What the frames of a page share. */
export interface Page {
  /** By the lock's name. The first one of a queue holds the lock. */
  readonly locks: Map<string, Claim[]>;
  readonly channels: Map<string, Set<Ear>>;
  /** How many names were made. */
  names: number;
}

type Sharing = Partial<Record<typeof NAME, Page>>;

/** The frames below a window. Their number and order can be read across origins. */
function* framesOf(window: Window, budget: { left: number }): Generator<Window> {
  for (let index = 0; index < window.length && budget.left > 0; index += 1) {
    budget.left -= 1;
    const frame = window[index];
    if (!frame) continue;
    yield frame;
    yield* framesOf(frame, budget);
  }
}

function pageIn(frame: Window): Page | undefined {
  try {
    return (frame as unknown as Sharing)[NAME];
  } catch {
    // Another origin's.
    return undefined;
  }
}

/** The object of this page: that of a frame which has one already, or a new one. */
export function pageOf(window: Window): Page | undefined {
  const own = window as unknown as Sharing;
  if (own[NAME]) return own[NAME];
  try {
    const top = window.top ?? window;
    let page = pageIn(top);
    for (const frame of framesOf(top, { left: MAX_FRAMES })) page ??= pageIn(frame);
    page ??= { locks: new Map(), channels: new Map(), names: 0 };
    Object.defineProperty(window, NAME, { value: page });
    return page;
  } catch {
    return undefined;
  }
}

/** A document that was removed or navigated away from has no window. */
export const isGone = ({ owner }: Owned): boolean => owner.defaultView === null;
