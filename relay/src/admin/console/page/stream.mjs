// The stream of snapshots: opens it, and opens it again when it ends or falls silent.

/** The time in milliseconds after which a stream without a snapshot counts as broken. The relay sends one every 2 s. */
const SILENCE = 10_000;
/** The pause in milliseconds before a stream that the relay refused is opened again. */
const PAUSE = 5_000;

/**
 * Follows the relay. `report` is told about the state of the stream.
 * @param {(snapshot: import('./snapshot.d.ts').Snapshot) => void} show
 * @param {(state: 'live' | 'waiting' | 'fault', text: string) => void} report
 */
export function followRelay(show, report) {
  /** @type {EventSource | undefined} */
  let source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const again = (after = 0) => {
    source?.close();
    clearTimeout(timer);
    timer = setTimeout(open, after);
  };

  const expectSnapshot = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      report('fault', 'the relay is silent; the numbers are old');
      again();
    }, SILENCE);
  };

  function open() {
    source = new EventSource('/console/events');
    source.addEventListener('snapshot', (event) => {
      expectSnapshot();
      show(JSON.parse(event.data));
    });
    source.addEventListener('error', () => {
      source?.close();
      report('fault', 'the relay does not answer; the numbers are old');
      void explain(report).finally(() => again(PAUSE));
    });
    expectSnapshot();
  }

  open();
  return {
    pause() {
      source?.close();
      clearTimeout(timer);
      report('waiting', 'paused');
    },
    resume() {
      report('waiting', 'connecting');
      again();
    },
  };
}

/**
 * Reports why the relay refuses the stream, which an EventSource does not tell.
 * @param {(state: 'fault', text: string) => void} report
 */
async function explain(report) {
  const abort = new AbortController();
  try {
    const response = await fetch('/console/events', { signal: abort.signal });
    if (!response.ok) report('fault', (await response.json()).error.message);
  } catch {
    // The relay is away, which was reported already.
  } finally {
    abort.abort();
  }
}
