//! The colours of the log. They are used on a terminal only, and not if `NO_COLOR` is set.

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use std::io;

/// Writes texts with or without colours.
#[derive(Clone, Copy)]
pub(super) struct Paint {
    is_on: bool,
}

impl Paint {
    /// The colours that standard output takes.
    pub(super) fn of_stdout() -> Self {
        Self { is_on: AutoStream::choice(&io::stdout()) != ColorChoice::Never }
    }

    #[cfg(test)]
    pub(super) const fn with_colours(is_on: bool) -> Self {
        Self { is_on }
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.styled(Style::new().dimmed(), text)
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.styled(Style::new().bold(), text)
    }

    pub(super) fn red(self, text: &str) -> String {
        self.styled(AnsiColor::Red.on_default().bold(), text)
    }

    pub(super) fn yellow(self, text: &str) -> String {
        self.styled(AnsiColor::Yellow.on_default(), text)
    }

    fn styled(self, style: Style, text: &str) -> String {
        if self.is_on { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}
