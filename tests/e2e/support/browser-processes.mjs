// A headless Chromium whose processes can stand still, as those of a laptop that is closed.
import { readdirSync, readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { CHROMIUM_FLAGS } from './chromium-flags.mjs';

/** Returns the ids of a process and of everything that it started. */
function withDescendants(root) {
  const parents = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // The name of the program, in brackets, may contain spaces.
      const [, parent] = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1).split(' ');
      parents.set(Number(name), Number(parent));
    } catch {
      // The process has ended meanwhile.
    }
  }
  const found = [root];
  for (const process of found) {
    for (const [child, parent] of parents) if (parent === process) found.push(child);
  }
  return found;
}

export async function launchProcesses() {
  const server = await chromium.launchServer({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: CHROMIUM_FLAGS,
  });
  const browser = await chromium.connect(server.wsEndpoint());
  let stopped = [];
  const resume = () => {
    for (const id of stopped) process.kill(id, 'SIGCONT');
    stopped = [];
  };
  return {
    browser,
    /** Stops every process of the browser until `resume`. */
    stop() {
      stopped = withDescendants(server.process().pid);
      for (const id of stopped) process.kill(id, 'SIGSTOP');
    },
    resume,
    async close() {
      resume();
      await browser.close();
      await server.close();
    },
  };
}
