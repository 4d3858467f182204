// The page: asks, shows the answer as it comes, and shows the same answer after a reload and to everybody at the issue.
import { invoke, view } from '@forge/bridge';
import { realtime, SealwireError, type TextStream } from 'sealwire';
import type { Answer, Status } from '../src/answers';

type Question = Pick<Answer, 'id' | 'question'>;

const STATUS: ReadonlyMap<Status, string> = new Map([
  ['running', 'Answering …'],
  ['done', ''],
  ['cancelled', 'Cancelled.'],
  ['failed', 'The answer failed. Ask again.'],
]);

const form = document.querySelector('form')!;
const heading = document.querySelector('h2')!;
const output = document.querySelector('output')!;
const status = document.querySelector('[role=status]')!;
const cancel = document.querySelector<HTMLButtonElement>('#cancel')!;

let shown: string | undefined;
let stream: TextStream | undefined;

function render(answer: Question & Pick<Answer, 'status' | 'text'>) {
  shown = answer.id;
  heading.textContent = answer.question;
  output.textContent = answer.text;
  status.textContent = STATUS.get(answer.status) ?? '';
  cancel.hidden = answer.status !== 'running';
}

/** Shows an answer while it is written. */
async function follow({ id, question }: Question) {
  if (id === shown) return;
  stream?.cancel();
  render({ id, question, status: 'running', text: '' });
  const reading = (stream = realtime.stream('answers', {
    id,
    // After a reload, the text of the last two minutes comes first.
    replaySeconds: 120,
    onGap: () => (status.textContent = 'The missing part of the text appears at the end.'),
    // The platform runs a consumer again if it broke off.
    onRestart: () => (output.textContent = ''),
  }));
  try {
    for await (const text of reading) output.append(text);
  } catch (error) {
    if (!(error instanceof SealwireError)) throw error;
    status.textContent = error.message;
  }
  // The storage has the complete text, and the reason for which it ended.
  if (shown === id) await load();
}

async function load() {
  const answer = (await invoke<Answer | null>('latest')) as Answer | null;
  if (!answer) return;
  if (answer.status === 'running' && answer.id !== shown) void attempt(() => follow(answer));
  else if (answer.status !== 'running') render(answer);
}

async function attempt(work: () => Promise<unknown>) {
  try {
    await work();
  } catch (error) {
    status.textContent = error instanceof Error ? error.message : String(error);
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void attempt(async () => {
    const answer = (await invoke<Answer>('ask', { question: new FormData(form).get('question') })) as Answer;
    form.reset();
    await follow(answer);
  });
});

cancel.addEventListener('click', () =>
  attempt(async () => {
    await invoke('cancel', { id: shown });
    // The consumer stops at the model's next piece of text.
    if (!cancel.hidden) status.textContent = 'Cancelling …';
  }),
);

void view.theme.enable();
await attempt(async () => {
  await realtime.subscribe<Question>('questions', (question) => attempt(() => follow(question as Question)), {
    onGap: () => attempt(load),
    onError: (error) => (status.textContent = error.message),
  });
  // The latest answer is loaded after the subscription, so that no question is missed in between.
  await load();
});
