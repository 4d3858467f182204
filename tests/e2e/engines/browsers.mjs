// Starts a browser of each engine at an address, with a new profile. `cargo xtask test engines` sets the variables with the
// paths of the programs.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CHROMIUM_FLAGS } from '../support/chromium-flags.mjs';

/** The browser's setting for storage in frames of another site. */
export const STORAGE = ['allowed', 'blocked'];

function program(variable) {
  const named = process.env[variable];
  if (!named) throw new Error(`${variable} is not set; run these tests with \`cargo xtask test engines\``);
  return named;
}

function chromium(folder, storage, address) {
  const isBlocked = storage === 'blocked';
  // The mode 0 allows third-party cookies, 1 blocks them.
  const profile = { cookie_controls_mode: isBlocked ? 1 : 0, block_third_party_cookies: isBlocked };
  mkdirSync(path.join(folder, 'Default'), { recursive: true });
  writeFileSync(path.join(folder, 'Default', 'Preferences'), JSON.stringify({ profile }));
  return [
    program('CHROMIUM'),
    ...CHROMIUM_FLAGS,
    // The debugging port keeps headless Chromium open.
    '--remote-debugging-port=0',
    // Storage partitioning would give a frame of another site its own storage even if cookies are blocked.
    ...(isBlocked ? ['--disable-features=ThirdPartyStoragePartitioning'] : []),
    `--user-data-dir=${folder}`,
    address,
  ];
}

/** The preferences that stop Firefox from sending requests and from showing dialogs. */
const FIREFOX = {
  'app.normandy.enabled': false,
  'app.update.enabled': false,
  'browser.aboutwelcome.enabled': false,
  'browser.newtabpage.enabled': false,
  'browser.region.network.url': '',
  'browser.safebrowsing.downloads.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.search.update': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'browser.topsites.contile.enabled': false,
  'datareporting.healthreport.uploadEnabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'dom.push.connection.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'extensions.systemAddon.update.enabled': false,
  'extensions.update.enabled': false,
  'geo.provider.network.url': '',
  'media.gmp-manager.updateEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.dns.disablePrefetch': true,
  'network.prefetch-next': false,
  'security.OCSP.enabled': 0,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'toolkit.telemetry.enabled': false,
  'toolkit.telemetry.server': '',
};

function firefox(folder, storage, address) {
  // The behaviour 1 refuses cookies and storage to frames of another site, 0 allows them.
  const prefs = { ...FIREFOX, 'network.cookie.cookieBehavior': storage === 'blocked' ? 1 : 0 };
  const lines = Object.entries(prefs).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
  );
  writeFileSync(path.join(folder, 'user.js'), lines.join('\n'));
  return [program('FIREFOX'), '--headless', '--no-remote', '--profile', folder, address];
}

function webkit(folder, storage, address) {
  const policy = storage === 'blocked' ? 'no-third-party' : 'always';
  return [program('MINIBROWSER'), '--private', `--cookies-policy=${policy}`, address];
}

/**
 * The command of each engine, and the facilities (see gadget.js) that it refuses to frames of another site if their storage
 * is blocked. WebKit partitions the storage of such frames, and refuses cookies only.
 */
export const ENGINES = {
  Chromium: { command: chromium, refuses: ['localStorage', 'sessionStorage', 'locks'] },
  Firefox: { command: firefox, refuses: ['cookies', 'localStorage', 'broadcastChannel', 'locks'] },
  WebKit: { command: webkit, refuses: ['cookies'], needsDisplay: true },
};

function start([command, ...given], env, stdio) {
  // The browser gets its own process group, so that all its processes can be ended.
  const child = spawn(command, given, { stdio, detached: true, env: { ...process.env, ...env } });
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.once('error', () => {});
  return {
    child,
    async end() {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The browser has already ended.
      }
      if (child.pid !== undefined) await ended;
    },
  };
}

/** Starts a virtual display, for an engine that has no headless mode. */
async function startDisplay() {
  const given = ['-displayfd', '3', '-screen', '0', '1024x768x24', '-nolisten', 'tcp', '-noreset'];
  const server = start([program('XVFB'), ...given], {}, ['ignore', 'ignore', 'ignore', 'pipe']);
  const number = await new Promise((resolve, reject) => {
    server.child.once('close', (code) => reject(new Error(`Xvfb ended with ${code}`)));
    server.child.stdio[3].once('data', (text) => resolve(String(text).trim()));
  });
  return { name: `:${number}`, end: server.end };
}

/** Opens an address in a new browser. Returns a function that closes the browser. */
export async function openBrowser(engine, storage, address) {
  const { command, needsDisplay } = ENGINES[engine];
  const folder = mkdtempSync(path.join(tmpdir(), 'sealwire-engine-'));
  const display = needsDisplay ? await startDisplay() : undefined;
  const env = {
    HOME: folder,
    XDG_CACHE_HOME: path.join(folder, 'cache'),
    XDG_CONFIG_HOME: path.join(folder, 'config'),
    XDG_DATA_HOME: path.join(folder, 'data'),
    NO_AT_BRIDGE: '1',
    LIBGL_ALWAYS_SOFTWARE: '1',
    WEBKIT_DISABLE_COMPOSITING_MODE: '1',
    WEBKIT_DISABLE_DMABUF_RENDERER: '1',
    ...(display && { DISPLAY: display.name, GDK_BACKEND: 'x11' }),
  };
  const verbose = process.env.SEALWIRE_ENGINE_OUTPUT === '1';
  const output = verbose ? 'inherit' : 'ignore';
  const browser = start(command(folder, storage, address), env, ['ignore', output, output]);
  return async () => {
    await browser.end();
    await display?.end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
}
