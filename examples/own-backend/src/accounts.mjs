// The server's own users and their sessions. A real server has them in its database.
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';

const SESSION_MS = 8 * 60 * 60 * 1000;
const MAX_SESSIONS = 1_000;

export class Accounts {
  /** @type {Map<string, { salt: Buffer, hash: Buffer }>} */
  #users = new Map();
  /** @type {Map<string, { account: string, endsAt: number }>} */
  #sessions = new Map();

  /**
   * @param {string} account
   * @param {string} password
   */
  add(account, password) {
    const salt = randomBytes(16);
    this.#users.set(account, { salt, hash: scryptSync(password, salt, 32) });
  }

  /**
   * Returns the id of a new session, or undefined if the account or the password is wrong.
   * @param {unknown} account
   * @param {unknown} password
   */
  logIn(account, password) {
    if (typeof account !== 'string' || typeof password !== 'string') return undefined;
    const user = this.#users.get(account);
    const salt = user?.salt ?? Buffer.alloc(16);
    // An unknown account takes as long as a wrong password.
    const hash = scryptSync(password, salt, 32);
    if (!user || !timingSafeEqual(hash, user.hash)) return undefined;
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined && this.#sessions.size >= MAX_SESSIONS) this.#sessions.delete(oldest);
    const id = randomBytes(32).toString('base64url');
    this.#sessions.set(id, { account, endsAt: Date.now() + SESSION_MS });
    return id;
  }

  /**
   * Returns the account of a session, or undefined.
   * @param {string | undefined} id
   */
  accountOf(id) {
    const session = id === undefined ? undefined : this.#sessions.get(id);
    return session && session.endsAt > Date.now() ? session.account : undefined;
  }
}
