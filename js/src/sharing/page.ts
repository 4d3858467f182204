// Which page a frame is part of: the frames of one page that have the same origin agree on a name for it.

/** Frames of a page that are looked at, at most. */
const MAX_FRAMES = 500;
const NAME = '__sealwirePage';

type Named = Partial<Record<typeof NAME, string>>;

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

function nameOf(frame: Window): string | undefined {
  try {
    return (frame as unknown as Named)[NAME];
  } catch {
    // Another origin's.
    return undefined;
  }
}

/** The page's name: that of a frame which has one already, or a new one. Frames of one origin run one after the other. */
export function pageName(): string | undefined {
  if (typeof window === 'undefined') return undefined;
  const own = window as unknown as Named;
  if (own[NAME]) return own[NAME];
  try {
    const top = window.top ?? window;
    let name = nameOf(top);
    for (const frame of framesOf(top, { left: MAX_FRAMES })) name ??= nameOf(frame);
    Object.defineProperty(window, NAME, { value: name ?? crypto.randomUUID() });
  } catch {
    return undefined;
  }
  return own[NAME];
}
