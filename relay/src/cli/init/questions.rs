//! The questions of `init` on a terminal.

use super::{DEFAULT_APP, DEFAULT_LISTEN, check_app};
use std::{
    io::{self, BufRead, Write},
    net::SocketAddr,
};

/// The facts that a configuration needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answers {
    pub(super) app: String,
    pub(super) listen: SocketAddr,
    /// The host name of a deployed relay; `None` for one beside `forge tunnel`.
    pub(super) host: Option<String>,
}

/// Asks for the facts. An answer that is not valid is asked for again, and an empty one means the default.
///
/// # Errors
/// The error of reading or writing; `UnexpectedEof` if the input ends before the last answer.
pub(super) fn ask(input: &mut impl BufRead, output: &mut impl Write) -> io::Result<Answers> {
    let mut dialog = Dialog { input, output };
    dialog.say("An empty answer takes the value in brackets.\n")?;
    let app = dialog.ask("The app's id, as in manifest.yml", Some(DEFAULT_APP), |answer| {
        check_app(answer).map(|()| answer.to_owned())
    })?;
    dialog
        .say("Where will the relay run?\n  1  on this machine, beside `forge tunnel`\n  2  on a server\n")?;
    let is_local = dialog.ask("1 or 2", Some("1"), |answer| match answer {
        "1" => Ok(true),
        "2" => Ok(false),
        _ => Err("answer 1 or 2".to_owned()),
    })?;
    let host = match is_local {
        true => None,
        false => Some(dialog.ask(
            "The host name under which browsers and Forge will reach the relay",
            None,
            check_host,
        )?),
    };
    let listen =
        dialog.ask("The address on which the relay will listen", Some(DEFAULT_LISTEN), |answer| {
            answer
                .parse()
                .map_err(|_| "an address is an IP address with a port, such as 127.0.0.1:7440".to_owned())
        })?;
    dialog.say("\n")?;
    Ok(Answers { app, listen, host })
}

/// Accepts a host name, with a port if it is not 443.
fn check_host(answer: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    if !answer.is_empty() && !answer.contains("//") && answer.bytes().all(is_plain) {
        return Ok(answer.to_owned());
    }
    Err("a host name is needed, without https:// and without a path, such as relay.example.com".to_owned())
}

struct Dialog<'a, I, O> {
    input: &'a mut I,
    output: &'a mut O,
}

impl<I: BufRead, O: Write> Dialog<'_, I, O> {
    fn say(&mut self, text: &str) -> io::Result<()> {
        self.output.write_all(text.as_bytes())?;
        self.output.flush()
    }

    /// Asks until `read` accepts the answer.
    fn ask<T>(
        &mut self,
        question: &str,
        default: Option<&str>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> io::Result<T> {
        let brackets = default.map(|default| format!(" [{default}]")).unwrap_or_default();
        loop {
            self.say(&format!("{question}{brackets}: "))?;
            let mut line = String::new();
            if self.input.read_line(&mut line)? == 0 {
                let problem = "the input ended before the last answer; nothing was written";
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, problem));
            }
            let answer = match line.trim() {
                "" => default.unwrap_or_default(),
                answer => answer,
            };
            match read(answer) {
                Ok(value) => return Ok(value),
                Err(problem) => self.say(&format!("  {problem}\n"))?,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(input: &str) -> (io::Result<Answers>, String) {
        let mut output = Vec::new();
        let answers = ask(&mut input.as_bytes(), &mut output);
        (answers, String::from_utf8(output).unwrap())
    }

    #[test]
    fn empty_answers_make_a_local_relay_with_the_defaults() {
        let (answers, output) = asked("\n\n\n");
        let listen = DEFAULT_LISTEN.parse().unwrap();
        assert_eq!(answers.unwrap(), Answers { app: DEFAULT_APP.to_owned(), listen, host: None });
        assert!(output.contains("as in manifest.yml [my-app]: "), "{output}");
        assert!(!output.contains("host name"), "{output}");
    }

    #[test]
    fn an_invalid_answer_is_explained_and_asked_for_again() {
        let long = "a".repeat(10_000);
        let input =
            format!("{long}\npoll\n3\n2\n\nhttps://rt.example.org/\nrt.example.org\n7440\n10.0.0.5:7440\n");
        let (answers, output) = asked(&input);
        let (listen, host) = ("10.0.0.5:7440".parse().unwrap(), Some("rt.example.org".to_owned()));
        assert_eq!(answers.unwrap(), Answers { app: "poll".to_owned(), listen, host });
        for problem in
            ["an app's id must have", "answer 1 or 2", "without https://", "an IP address with a port"]
        {
            assert!(output.contains(problem), "{problem} is not in\n{output}");
        }
        assert_eq!(output.matches("a host name is needed").count(), 2, "{output}");
    }

    #[test]
    fn input_that_ends_early_writes_nothing() {
        let error = asked("poll\n2\n").0.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(error.to_string().contains("nothing was written"));
    }
}
