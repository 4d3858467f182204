//! `cargo xtask help`: the commands in groups, each with its first sentence.

use std::fmt::Write as _;

use clap::Command;

/// The groups of commands, in the order of the help.
const GROUPS: [(&str, &[&str]); 4] = [
    ("Build and run", &["demo", "package", "core", "toolchain"]),
    ("Test", &["check", "test", "fuzz", "mutations", "chaos"]),
    ("Measure", &["bench", "client-speed"]),
    ("Documentation", &["docs"]),
];

/// The command line with this help in place of clap's alphabetical list.
pub(crate) fn grouped(command: Command) -> Command {
    let help = text(&command);
    command.override_help(help)
}

fn text(command: &Command) -> String {
    let mut text = format!(
        "{}\n\nUsage: cargo xtask <command> [options]\n",
        command.get_about().map(ToString::to_string).unwrap_or_default()
    );
    for (group, names) in GROUPS {
        let _ = writeln!(text, "\n{group}:");
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {name:<14} {about}");
        }
    }
    text.push_str(
        "\n`cargo xtask <command> --help` lists the options of a command. docs/building.md says more.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::GROUPS;
    use crate::Arguments;

    #[test]
    fn every_command_is_in_one_group() {
        let mut grouped: Vec<_> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let command = Arguments::command();
        let mut commands: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
        grouped.sort_unstable();
        commands.sort_unstable();
        assert_eq!(grouped, commands);
    }
}
