// A relay process that serves one app.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

export const APP = 'e2e';

/**
 * Starts `$SEALWIRE_TEST_RELAY` on a free port of the loopback address.
 * @param {string} [settings] further lines of its configuration
 */
export async function startRelay(settings = '') {
  const binary = process.env.SEALWIRE_TEST_RELAY;
  if (!binary) throw new Error('SEALWIRE_TEST_RELAY is not set; run these tests with `cargo xtask test e2e`');
  const folder = mkdtempSync(path.join(tmpdir(), 'sealwire-e2e-'));
  const signingKey = `e2e-1.${randomBytes(64).toString('base64url')}`;
  const config = path.join(folder, 'relay.toml');
  const app = `[[app]]\nid = "${APP}"\nsigning_keys = ["${signingKey}"]\n`;
  writeFileSync(config, `listen = "127.0.0.1:0"\n${settings}\n${app}`, { mode: 0o600 });
  const lines = [];
  let { child, port, adminPort } = await run(binary, config, [], lines);
  return {
    port,
    /** Returns what the relay has written to its log. */
    log: () => lines.join(''),
    /** The port of the listener for operators; undefined without `admin_listen`. */
    adminPort,
    signingKey,
    /** Kills the relay. */
    kill: () => end(child),
    /** Starts a killed relay again, on the same port. */
    async restart() {
      ({ child } = await run(binary, config, ['--listen', `127.0.0.1:${port}`], lines));
    },
    async stop() {
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function run(binary, config, flags, lines) {
  const settings = readFileSync(config, 'utf8');
  const hasOperators = settings.includes('admin_listen');
  // A test that raises the level of the log reads it; all others show it.
  const isRead = settings.includes('log = ');
  const child = spawn(binary, ['run', '--config', config, ...flags], {
    stdio: ['ignore', 'pipe', isRead ? 'pipe' : 'inherit'],
  });
  child.stderr?.on('data', (text) => lines.push(String(text)));
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the relay ended with ${code}`)));
    let port;
    createInterface(child.stdout).on('line', (line) => {
      port ??= portIn(line, 'listening on ');
      const adminPort = portIn(line, 'operators: ');
      if (port && (adminPort || !hasOperators)) resolve({ child, port, adminPort });
    });
  });
}

/** Returns the port in a line that starts like this, if it is one. */
function portIn(line, start) {
  const found = line.startsWith(start) && /http:\/\/127\.0\.0\.1:(\d+)/.exec(line);
  return found ? Number(found[1]) : undefined;
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
