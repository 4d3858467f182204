//! A native client of an app: it prints the messages of a channel, or publishes one. The app's backend decides about the
//! user and provides the session with its keys; messages are sealed and opened here.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool prints")]

mod backend;
mod exchange;
mod realtime;
mod socket;
mod task;

use clap::{Parser, Subcommand};
use exchange::Incoming;
use realtime::Realtime;
use sealwire_client::{ChannelSpec, ClientError};
use std::{fs, path::PathBuf, process::ExitCode};

/// The maximum time of a replay in seconds.
const MAX_REPLAY: i64 = 120;

/// Subscribes to a channel of an app, or publishes to it.
#[derive(Parser)]
struct Arguments {
    /// The address of the app's backend that answers POST with a session.
    #[arg(long, value_name = "URL")]
    session: String,
    /// The file with the user's bearer token for the backend.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Prints each message of a channel as a line of JSON, until Ctrl+C.
    Listen {
        /// The name of the channel.
        channel: String,
        /// The age in seconds up to which earlier messages are printed, at most 120.
        #[arg(long, value_parser = clap::value_parser!(u32).range(..=MAX_REPLAY))]
        replay: Option<u32>,
    },
    /// Publishes one message.
    Send {
        /// The name of the channel.
        channel: String,
        /// The payload as JSON, such as '{"text": "Hello"}'.
        payload: String,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run(Arguments { session, token_file, action }: Arguments) -> Result<(), String> {
    let token = fs::read_to_string(&token_file);
    let token = token.map_err(|error| format!("--token-file {}: {error}", token_file.display()))?;
    let realtime = Realtime::start(backend::sessions(session, token.trim().to_owned()));
    match action {
        Action::Listen { channel, replay } => {
            tokio::select! {
                ended = listen(&realtime, channel, replay) => ended,
                _ = tokio::signal::ctrl_c() => Ok(()),
            }
        }
        Action::Send { channel, payload } => {
            let payload: serde_json::Value = serde_json::from_str(&payload)
                .map_err(|error| format!("the payload is not JSON: {error}; write a text as '\"text\"'"))?;
            let receipt = realtime.publish(named(channel), payload.to_string()).await;
            let receipt = receipt.map_err(|error| text(&error))?;
            println!("published as message {}", receipt.position.offset);
            Ok(())
        }
    }
}

async fn listen(realtime: &Realtime, channel: String, replay: Option<u32>) -> Result<(), String> {
    let subscribed = realtime.subscribe(named(channel), replay).await;
    let mut subscription = subscribed.map_err(|error| text(&error))?;
    eprintln!("subscribed");
    while let Some(incoming) = subscription.next().await {
        match incoming {
            Incoming::Message(message) => println!("{}", message.payload),
            Incoming::Resumed { recovered } => eprintln!("resumed, complete: {recovered}"),
            Incoming::Gap(gap) => eprintln!("gap: {}", gap.reason.message()),
            Incoming::Unreadable(error) => eprintln!("a message is unreadable: {}", text(&error)),
            Incoming::Ended(error) => return Err(format!("the subscription ended: {}", text(&error))),
        }
    }
    Ok(())
}

/// Returns a channel of the session's whole context.
fn named(name: String) -> ChannelSpec {
    ChannelSpec { name, scope: None, token: None }
}

fn text(error: &ClientError) -> String {
    format!("{}: {error}", error.code.name())
}
