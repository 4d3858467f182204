// The command `sealwire` of the npm package: `npx sealwire migrate`. No entry of the package imports it.

import { migrateCommand, type Outcome } from './migrate/command.js';

declare const SEALWIRE_VERSION: string;

const HELP = `Usage: sealwire <command>

Commands
  migrate    moves an app from Forge Realtime to Sealwire; \`sealwire migrate --help\` explains it

Options
  --version  prints the version of the package
  --help     prints this text
`;

function run([command, ...rest]: readonly string[]): Outcome {
  switch (command) {
    case 'migrate':
      return migrateCommand(rest, SEALWIRE_VERSION);
    case '--version':
      return { out: `${SEALWIRE_VERSION}\n`, error: '', status: 0 };
    case '--help':
    case '-h':
      return { out: HELP, error: '', status: 0 };
    default: {
      const problem =
        command === undefined ? 'Name a command.' : `There is no command ${JSON.stringify(command)}.`;
      return { out: '', error: `${problem}\n\n${HELP}`, status: 2 };
    }
  }
}

const { out, error, status } = run(process.argv.slice(2));
process.stdout.write(out);
process.stderr.write(error);
process.exitCode = status;
