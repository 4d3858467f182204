// The macro's configuration in the editor: the question and the options.
import { view } from '@forge/bridge';
import { configOf } from '../config.js';

const form = /** @type {HTMLFormElement} */ (document.querySelector('form'));
const question = /** @type {HTMLInputElement} */ (form.querySelector('[name=question]'));
const options = /** @type {HTMLTextAreaElement} */ (form.querySelector('[name=options]'));
const problem = /** @type {HTMLElement} */ (form.querySelector('[role=alert]'));

const { extension } = await view.getContext();
const before = configOf(extension);
question.value = before.question;
options.value = before.options.join('\n');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const lines = options.value.split('\n').map((line) => line.trim());
  const chosen = [...new Set(lines)].filter((line) => line !== '');
  if (chosen.length < 2 || chosen.some((line) => line.length > 100)) {
    problem.textContent = 'Write at least two different options of at most 100 characters each.';
    return;
  }
  await view.submit({ config: { question: question.value.trim(), options: chosen } });
});
