// The language model: Atlassian's through `@forge/llm`, or the stand-in if the variable LLM_STAND_IN is set.
import { stream, type ChatResponse, type Prompt } from '@forge/llm';
import { standIn } from './stand-in';

/** The function `stream` of `@forge/llm`, as far as this app uses it. */
type Model = (
  prompt: Prompt,
) => Promise<AsyncIterable<ChatResponse> & { close(): Promise<void> | undefined }>;

/** An active model of https://developer.atlassian.com/platform/forge/runtime-reference/forge-llms-models/. */
const MODEL = 'claude-haiku-4-5-20251001';

/** Yields the model's answer piece by piece. The caller may stop at any piece, which ends the request. */
export async function* reply(question: string): AsyncGenerator<string, void, undefined> {
  const model: Model = process.env.LLM_STAND_IN ? standIn : stream;
  const response = await model({
    model: MODEL,
    messages: [
      { role: 'system', content: 'Answer in plain text, in at most three paragraphs.' },
      { role: 'user', content: question },
    ],
    max_completion_tokens: 2_000,
  });
  try {
    for await (const chunk of response) yield textOf(chunk);
  } finally {
    // A response that broke off cannot be closed, and its own error tells more.
    await response.close()?.catch(() => {});
  }
}

function textOf({ choices }: ChatResponse): string {
  return choices
    .map(({ message: { content } }) =>
      typeof content === 'string' ? content : content.map(({ text }) => text).join(''),
    )
    .join('');
}
