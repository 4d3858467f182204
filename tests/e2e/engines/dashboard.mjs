// The dashboard for a browser of any engine: a page of another site than its gadgets, as Jira's is. It fetches its commands
// from this server, so that the browser needs no driver.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const TIMEOUT_MS = 30_000;

/** Runs in the page: executes commands, and reports the messages of the gadgets. */
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
    /** Navigates to another page, which navigates back. */
    leave: () => location.assign('/elsewhere'),
    call: (frame, command) => frames[frame].contentWindow.postMessage({ command }, '*'),
  };
  addEventListener('pageshow', ({ persisted }) => persisted && report({ shown: 'again' }));
  /** Fetches the commands after the first `done`; none if the browser suspended the page meanwhile. */
  const next = async (done) => {
    try {
      return await (await post('/next', done)).json();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
      return [];
    }
  };
  void (async () => {
    // A page that the browser loads again must skip the commands of its predecessor.
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

/** The page to navigate to. It waits until the browser has put the dashboard into its back/forward cache. */
const ELSEWHERE = `<!doctype html><title>elsewhere</title><script>setTimeout(() => history.back(), 1000)</script>`;
const PAGE = `<!doctype html><meta charset="utf-8"><title>dashboard</title><body><script>(${dashboard})()</script>`;

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString() || 'null');
}

/** The commands for the page, which it fetches by polling. */
function createCommands() {
  const commands = [];
  let polling;
  const flush = () => {
    if (!polling || commands.length <= polling.from) return;
    const { from, response } = polling;
    polling = undefined;
    response.end(JSON.stringify(commands.slice(from)));
  };
  return {
    count: () => commands.length,
    send(...command) {
      commands.push(command);
      flush();
    },
    /** Responds with the commands from a number on, as soon as there are any. */
    poll(from, response) {
      polling = { from, response };
      flush();
    },
  };
}

/** The reports of the page, each of which resolves the promise for its key. */
function createReports(problems) {
  const waiting = new Map();
  return {
    expect(key) {
      const timeout = sleep(TIMEOUT_MS, undefined, { ref: false }).then(() => {
        throw new Error(`no report of ${key}; problems: ${problems.join(', ') || 'none'}`);
      });
      return Promise.race([new Promise((resolve) => waiting.set(key, resolve)), timeout]);
    },
    settle(key, value) {
      waiting.get(key)?.(value);
      waiting.delete(key);
    },
    receive({ frame, ready, answer, problem, shown }) {
      if (shown) this.settle('the page', shown);
      if (problem) problems.push(problem);
      if (ready) this.settle(`gadget ${frame}`, undefined);
      if (answer) this.settle(`answer ${answer.id}`, answer);
    },
  };
}

function createServer(commands, reports) {
  return http.createServer(async (request, response) => {
    if (request.url === '/start') return response.end(JSON.stringify(commands.count()));
    if (request.url === '/next') return commands.poll(await bodyOf(request), response);
    if (request.url === '/report') {
      reports.receive(await bodyOf(request));
      return response.end();
    }
    if (request.url === '/elsewhere') {
      return response.writeHead(200, { 'content-type': 'text/html' }).end(ELSEWHERE);
    }
    if (request.url !== '/') return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE);
  });
}

let lastCall = 0;

/** A gadget: calls to it, and a way to wait for its state. */
function gadgetOf(frame, commands, reports) {
  const call = async (...command) => {
    const id = (lastCall += 1);
    const answered = reports.expect(`answer ${id}`);
    commands.send('call', frame, [id, ...command]);
    const { value, error } = await answered;
    if (error) throw new Error(`${command[0]} failed: ${error}`);
    return value;
  };
  return {
    call,
    remove: () => commands.send('remove', frame),
    /** Waits until a condition holds for the gadget's state. */
    async until(holds) {
      const end = Date.now() + TIMEOUT_MS;
      for (;;) {
        const state = await call('state');
        if (holds(state)) return state;
        if (Date.now() > end) throw new Error(`the gadget stays in ${JSON.stringify(state).slice(0, 2_000)}`);
        await sleep(50);
      }
    },
  };
}

/** Starts the server. The browser has to open `address`. */
export async function startDashboard() {
  const problems = [];
  const commands = createCommands();
  const reports = createReports(problems);
  const server = createServer(commands, reports);
  let frames = 0;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    // The gadgets are on 127.0.0.1, which is another site.
    address: `http://localhost:${server.address().port}/`,
    opened: reports.expect('the page'),
    problems,
    /** Leaves the page and comes back. Resolves to whether the browser kept the page with its gadgets. */
    async leave() {
      const shown = reports.expect('the page');
      commands.send('leave');
      return (await shown) === 'again';
    },
    async open(address) {
      const frame = frames;
      frames += 1;
      const ready = reports.expect(`gadget ${frame}`);
      commands.send('open', frame, address);
      await ready;
      return gadgetOf(frame, commands, reports);
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
