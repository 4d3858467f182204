// A stand-in for `stream` of `@forge/llm`, for development without access to Forge LLMs: it answers every question with the
// same text, word by word.
import type { ChatResponse } from '@forge/llm';

const WORD_MS = 20;
const TEXT =
  'This answer comes from the stand-in and not from a model. It arrives word by word, as a real answer does, so that you ' +
  'can watch the stream, reload the page, and cancel.';

export async function standIn(): Promise<AsyncIterable<ChatResponse> & { close(): Promise<void> }> {
  let closed = false;
  async function* words(): AsyncGenerator<ChatResponse> {
    for (const word of TEXT.split(/(?<= )/)) {
      if (closed) return;
      await new Promise((resolve) => setTimeout(resolve, WORD_MS));
      yield { choices: [{ finish_reason: '', message: { role: 'assistant', content: word } }] };
    }
  }
  return {
    [Symbol.asyncIterator]: words,
    async close() {
      closed = true;
    },
  };
}
