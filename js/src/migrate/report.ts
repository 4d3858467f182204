// Prints a migration: the changed files, the findings by kind with file and line, and the remaining steps.

import { createTwoFilesPatch } from 'diff';

import type { Finding } from './document.js';
import { grouped } from './grouped.js';
import type { Change, Migration } from './migration.js';
import { RULES } from './rules.js';

const GUIDE = 'https://github.com/sealwire/sealwire/blob/main/docs/forge.md#migration';

/** The changes as a diff that `git apply` and `patch -p1` accept. */
export function diffOf(changes: readonly Change[]): string {
  return changes
    .map(({ file, before, after }) => createTwoFilesPatch(`a/${file}`, `b/${file}`, before, after, '', ''))
    .map((patch) => patch.replace(/^=+\n/, '').replaceAll(/^(---|\+\+\+) (.*?)\t$/gm, '$1 $2'))
    .join('');
}

/** The report, which ends with a line break. */
export function reportOf(migration: Migration, isDry: boolean): string {
  const { changes, findings, skipped } = migration;
  const lines = [
    `${count(migration.read, 'source file')} read, ${count(changes.length, 'file')} ${isDry ? 'to change' : 'changed'}, ` +
      `${count(findings.length, 'place')} for you to decide.`,
  ];
  if (!isDry) lines.push(...changes.map(({ file }) => `  ${printable(file)}`));
  if (skipped.length > 0) {
    lines.push(
      '',
      'Not followed: symbolic links, and folders with a repository of their own',
      ...skipped.map(indented),
    );
  }
  for (const [rule, heading] of RULES) {
    const found = findings.filter((finding) => finding.rule === rule).sort(byPlace);
    if (found.length === 0) continue;
    lines.push('', heading);
    for (const [message, places] of grouped(found, (finding) => finding.message)) {
      lines.push(`  ${message.split('\n').map(printable).join('\n    ')}`, ...places.map(placeOf));
    }
  }
  if (changes.length > 0 || findings.length > 0) lines.push('', ...steps(migration));
  return `${lines.join('\n')}\n`;
}

function steps({ packages }: Migration): string[] {
  const folders = packages.length > 0 ? ` in ${packages.map(printable).join(' and ')}` : '';
  return [
    'Then',
    `  1. Run \`npm install\`${folders}.`,
    '  2. Decide about the places above. Running this command again shows those that are left.',
    '  3. Start a relay with `sealwire-relay init`; set SEALWIRE_URL, SEALWIRE_APP and SEALWIRE_SIGNING_KEY as it prints.',
    `  ${GUIDE}`,
  ];
}

function placeOf({ file, line }: Finding): string {
  return `      ${printable(file)}${line === undefined ? '' : `:${line}`}`;
}

function byPlace(a: Finding, b: Finding): number {
  return a.file === b.file ? (a.line ?? 0) - (b.line ?? 0) : a.file < b.file ? -1 : 1;
}

function indented(file: string): string {
  return `  ${printable(file)}`;
}

/** A text without characters that control a terminal: a repository can hold any file name. */
function printable(text: string): string {
  return text.replaceAll(
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
