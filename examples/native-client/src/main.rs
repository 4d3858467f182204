//! A native client of an app: it prints the messages or the members of a channel, or publishes a message. The app's backend decides about the
//! user and provides the session with its keys; messages are sealed and opened here.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool prints")]

mod backend;
mod exchange;
mod realtime;
mod socket;
mod task;

use clap::{Parser, Subcommand};
use exchange::Incoming;
use realtime::{Presence, Realtime};
use sealwire_client::{ChannelSpec, ClientError, Member};
use std::{fs, path::PathBuf, process::ExitCode};

/// The maximum time of a replay in seconds.
const MAX_REPLAY: i64 = 120;

/// Subscribes to a channel of an app, shows its members, or publishes to it.
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
    /// Prints the members of a channel's presence as a line of JSON, at first and after each change, until Ctrl+C.
    Presence {
        /// The name of the channel.
        channel: String,
        /// The data to enter with, as JSON, such as '{"name": "Anna"}'. Without it, the client is no member.
        #[arg(long, value_name = "JSON")]
        enter: Option<String>,
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
        Action::Presence { channel, enter } => {
            let data = enter.map(|data| json("--enter", &data)).transpose()?;
            show_presence(&realtime, channel, data).await
        }
        Action::Send { channel, payload } => {
            let payload = json("the payload", &payload)?;
            let receipt = realtime.publish(named(channel), payload).await;
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
            // Only a presence has members.
            Incoming::Members(_) => {}
            Incoming::Gap(gap) => eprintln!("gap: {}", gap.reason.message()),
            Incoming::Unreadable(error) => eprintln!("a message is unreadable: {}", text(&error)),
            Incoming::Ended(error) => return Err(format!("the subscription ended: {}", text(&error))),
        }
    }
    Ok(())
}

async fn show_presence(realtime: &Realtime, channel: String, data: Option<String>) -> Result<(), String> {
    let mut presence = realtime.presence(named(channel)).await.map_err(|error| text(&error))?;
    let is_member = data.is_some();
    if let Some(data) = data {
        presence.enter(data).await.map_err(|error| text(&error))?;
    }
    tokio::select! {
        ended = print_members(&mut presence) => return ended,
        _ = tokio::signal::ctrl_c() => {}
    }
    if is_member {
        presence.leave().await.map_err(|error| text(&error))?;
        eprintln!("left");
    }
    Ok(())
}

async fn print_members(presence: &mut Presence) -> Result<(), String> {
    while let Some(incoming) = presence.next().await {
        match incoming {
            Incoming::Members(members) => {
                println!("{}", members.iter().map(member).collect::<serde_json::Value>());
            }
            Incoming::Unreadable(error) => eprintln!("a member is unreadable: {}", text(&error)),
            Incoming::Ended(error) => return Err(format!("the presence ended: {}", text(&error))),
            // The members after a lost connection follow by themselves.
            Incoming::Message(_) | Incoming::Resumed { .. } | Incoming::Gap(_) => {}
        }
    }
    Ok(())
}

fn member(member: &Member) -> serde_json::Value {
    // Another member chose the data, which may be no JSON.
    let data: serde_json::Value = serde_json::from_str(&member.data).unwrap_or_default();
    let Member { account, in_grace, is_self, .. } = member;
    serde_json::json!({ "data": data, "claimedAccountId": account, "inGrace": in_grace, "isSelf": is_self })
}

/// Returns the compact form of a JSON text. `argument` names it in the error.
fn json(argument: &str, text: &str) -> Result<String, String> {
    let value: Result<serde_json::Value, _> = serde_json::from_str(text);
    let value =
        value.map_err(|error| format!("{argument} is not JSON: {error}; write a text as '\"text\"'"))?;
    Ok(value.to_string())
}

/// Returns a channel of the session's whole context.
fn named(name: String) -> ChannelSpec {
    ChannelSpec { name, scope: None, token: None }
}

fn text(error: &ClientError) -> String {
    format!("{}: {error}", error.code.name())
}
