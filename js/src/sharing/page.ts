// The object that the frames of one origin on a page share. The frames run in one thread, so the object needs no feature of
// the browser: a browser that blocks third-party cookies refuses Web Locks, BroadcastChannel and storage to these frames.

/** The maximum number of frames of a page that are searched. */
const MAX_FRAMES = 500;
/** The object's name, with the version of its shape: another frame may have another version of this package. */
const NAME = '__sealwirePage1';

/** A part of the object that belongs to the document of one frame. */
interface Owned {
  owner: Document;
}

/** A claim of a frame to a lock, which it holds or waits for. */
export interface Claim extends Owned {
  granted(): void;
}

/** One end of a channel. It copies each message into its own frame. */
export interface ChannelEnd extends Owned {
  hear(message: unknown): void;
}

/** The object that the frames of a page share. */
export interface Page {
  /** The queue of claims per lock. The first claim holds the lock. */
  readonly locks: Map<string, Claim[]>;
  readonly channels: Map<string, Set<ChannelEnd>>;
  /** The number of names that were given out. */
  names: number;
}

type Sharing = Partial<Record<typeof NAME, Page>>;

/** Returns the frames below a window. Their number and order can be read across origins. */
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
    // The frame has another origin.
    return undefined;
  }
}

/** Returns the object of this page: that of a frame which already has it, or a new one. */
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

/** Returns whether the frame is gone: a document that was removed or navigated away from has no window. */
export const isGone = ({ owner }: Owned): boolean => owner.defaultView === null;
