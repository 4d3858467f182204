// The answers of an issue in the installation's Forge storage. The stream shows an answer while it is written; the storage has
// it afterwards.
import { randomUUID } from 'node:crypto';
import { kvs } from '@forge/kvs';

export type Status = 'running' | 'done' | 'cancelled' | 'failed';

export interface Answer {
  id: string;
  question: string;
  /** The account that asked, which alone may cancel. */
  askedBy: string;
  status: Status;
  /** The complete text; empty while the answer is written. */
  text: string;
}

const MAX_QUESTION = 1_000;

/** Stores a new answer as the latest one of the issue. */
export async function start(issue: string, askedBy: string, question: unknown): Promise<Answer> {
  if (typeof question !== 'string' || question.trim() === '' || question.length > MAX_QUESTION) {
    throw new Error(`A question has 1 to ${MAX_QUESTION} characters.`);
  }
  const answer: Answer = {
    id: randomUUID(),
    question: question.trim(),
    askedBy,
    status: 'running',
    text: '',
  };
  await kvs.set(answerKey(issue, answer.id), answer);
  await kvs.set(latestKey(issue), answer.id);
  return answer;
}

export function find(issue: string, id: string): Promise<Answer | undefined> {
  return kvs.get<Answer>(answerKey(issue, id));
}

export async function latest(issue: string): Promise<Answer | undefined> {
  const id = await kvs.get<string>(latestKey(issue));
  return id === undefined ? undefined : find(issue, id);
}

export function finish(issue: string, answer: Answer, status: Status, text: string): Promise<void> {
  return kvs.set(answerKey(issue, answer.id), { ...answer, status, text });
}

/** Asks the consumer to stop. The request has its own key, since the consumer writes the answer's. */
export async function cancel(issue: string, id: unknown, accountId: string): Promise<void> {
  const answer = typeof id === 'string' && /^[\w-]{1,64}$/.test(id) ? await find(issue, id) : undefined;
  if (answer?.askedBy !== accountId) throw new Error('You can only cancel the answer to your own question.');
  await kvs.set(cancelKey(answer.id), true, { keyPolicy: 'OVERRIDE', ttl: { value: 1, unit: 'HOURS' } });
}

export async function isCancelled({ id }: Answer): Promise<boolean> {
  return (await kvs.get<boolean>(cancelKey(id))) === true;
}

const answerKey = (issue: string, id: string) => `answer:${issue}:${id}`;
const latestKey = (issue: string) => `latest:${issue}`;
const cancelKey = (id: string) => `cancel:${id}`;
