// The dashboard that a browser of any engine shows: a page of another site than its gadgets, as Jira's is. It asks this
// server what to do, so that nothing is needed of a browser but to open an address.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 30_000;

/** Runs in the page: does what it is told, and reports what the gadgets say. */
function dashboard() {
  const frames = [];
  const post = (path, body) => fetch(path, { method: 'POST', body: JSON.stringify(body) });
  const report = (message) => void post('/report', message);
  const reportProblem = (problem) => report({ problem: String(problem) });
  addEventListener('error', ({ message }) => reportProblem(message));
  addEventListener('message', ({ data, source }) => {
    const frame = frames.findIndex((one) => one?.contentWindow === source);
    if (frame >= 0) report({ frame, ...data });
  });
  const actions = {
    open(frame, address) {
      frames[frame] = document.createElement('iframe');
      frames[frame].src = address;
      document.body.append(frames[frame]);
    },
    remove(frame) {
      frames[frame]?.remove();
      delete frames[frame];
    },
    /** Goes to another page, which comes back. */
    leave: () => location.assign('/elsewhere'),
    call: (frame, command) => frames[frame].contentWindow.postMessage({ command }, '*'),
  };
  addEventListener('pageshow', ({ persisted }) => persisted && report({ shown: 'again' }));
  /** The commands that are not done; none where the page was put aside meanwhile. */
  const next = async (done) => {
    try {
      return await (await post('/next', done)).json();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return [];
    }
  };
  void (async () => {
    // A browser may show the page anew from its cache, where earlier commands are of no concern.
    let done = await (await post('/start')).json();
    report({ shown: 'anew' });
    for (;;) {
      for (const [name, ...given] of await next(done)) {
        done += 1;
        try {
          actions[name](...given);
        } catch (error) {
          reportProblem(error);
        }
      }
    }
  })();
}

/** Long enough for a browser to put the page before it aside. */
const ELSEWHERE = `<!doctype html><title>elsewhere</title><script>setTimeout(() => history.back(), 1000)</script>`;
const PAGE = `<!doctype html><meta charset="utf-8"><title>dashboard</title><body><script>(${dashboard})()</script>`;

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString() || 'null');
}

/** Starts the server. The browser has to open `address`. */
export async function startDashboard() {
  const commands = [];
  const problems = [];
  const waiting = new Map();
  let polling;
  let nextFrame = 0;
  let nextCall = 0;

  const flush = () => {
    const asked = polling;
    if (!asked || commands.length <= asked.from) return;
    polling = undefined;
    asked.response.end(JSON.stringify(commands.slice(asked.from)));
  };
  const tell = (...command) => {
    commands.push(command);
    flush();
  };
  /** Resolves with what the page reports under a key. */
  const reported = (key) => {
    const late = sleep(PATIENCE_MS, undefined, { ref: false }).then(() => {
      throw new Error(`${key} did not come; problems: ${problems.join(', ') || 'none'}`);
    });
    return Promise.race([new Promise((resolve) => waiting.set(key, resolve)), late]);
  };
  const settle = (key, value) => {
    waiting.get(key)?.(value);
    waiting.delete(key);
  };

  const server = http.createServer(async (request, response) => {
    if (request.url === '/start') return response.end(JSON.stringify(commands.length));
    if (request.url === '/next') {
      polling = { from: await bodyOf(request), response };
      return flush();
    }
    if (request.url === '/report') {
      const { frame, ready, answer, problem, shown } = await bodyOf(request);
      if (shown) settle('the page', shown);
      if (problem) problems.push(problem);
      if (ready) settle(`gadget ${frame}`, undefined);
      if (answer) settle(`answer ${answer.id}`, answer);
      return response.end();
    }
    if (request.url === '/elsewhere') {
      return response.writeHead(200, { 'content-type': 'text/html' }).end(ELSEWHERE);
    }
    if (request.url !== '/') return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

  /** A gadget's commands, and a way to wait for what it gets. */
  function gadgetOf(frame) {
    const call = async (...command) => {
      const id = (nextCall += 1);
      const answered = reported(`answer ${id}`);
      tell('call', frame, [id, ...command]);
      const { value, error } = await answered;
      if (error) throw new Error(`${command[0]} failed: ${error}`);
      return value;
    };
    return {
      call,
      remove: () => tell('remove', frame),
      /** Waits until the gadget's state is as it should be. */
      async until(holds) {
        const end = Date.now() + PATIENCE_MS;
        for (;;) {
          const state = await call('state');
          if (holds(state)) return state;
          if (Date.now() > end)
            throw new Error(`the gadget stays in ${JSON.stringify(state).slice(0, 2_000)}`);
          await sleep(50);
        }
      },
    };
  }

  return {
    // Another site than 127.0.0.1, where the gadgets are.
    address: `http://localhost:${server.address().port}/`,
    opened: reported('the page'),
    problems,
    /** Leaves the page and comes back. Resolves with whether the browser kept it, with its gadgets. */
    async leave() {
      const shown = reported('the page');
      tell('leave');
      return (await shown) === 'again';
    },
    async open(address) {
      const frame = nextFrame;
      nextFrame += 1;
      const ready = reported(`gadget ${frame}`);
      tell('open', frame, address);
      await ready;
      return gadgetOf(frame);
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
