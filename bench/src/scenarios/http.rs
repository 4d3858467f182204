//! Scenario I: publishing by HTTP, with 1 and with 100 messages in each request.

use super::Run;
use crate::load::{payload, sealwire};
use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwire_protocol::encode_base64url;
use serde_json::json;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    time::Instant,
};

pub(super) fn publish(run: &mut Run<'_>) -> Result<()> {
    let stream = TcpStream::connect(run.server.address)?;
    stream.set_nodelay(true)?;
    let mut connection = BufReader::new(stream);
    let token = sealwire::backend_token()?;
    let mut next = 0;
    for (scenario, batch, requests) in [
        ("I, HTTP, batches of 1", 1, run.pick(1_000, 3_000)),
        ("I, HTTP, batches of 100", 100, run.pick(100, 300)),
    ] {
        let bodies: Vec<String> = (0..requests).map(|_| body(&mut next, batch)).collect();
        let (before, start) = (run.cpu()?, Instant::now());
        for body in &bodies {
            request(&mut connection, &token, body)?;
        }
        let (elapsed, cpu) = (start.elapsed().as_secs_f64(), run.cpu()? - before);
        let messages = f64::from(requests) * f64::from(batch);
        run.add(scenario, "CPU µs per message", "µs", cpu.total() * 1e6 / messages);
        run.add(scenario, "messages a second on one connection", "1/s", messages / elapsed);
    }
    Ok(())
}

fn body(next: &mut u64, batch: u32) -> String {
    let mut sealed = Vec::new();
    let messages: Vec<_> = (0..batch)
        .map(|_| {
            payload::fill(&mut sealed, 128, *next);
            let mut id = [0; 16];
            id[8..].copy_from_slice(&next.to_be_bytes());
            *next += 1;
            json!({ "channel": "c0", "scope": sealwire::scope(), "event": "", "sealed": STANDARD.encode(&sealed),
                    "id": encode_base64url(id) })
        })
        .collect();
    json!({ "messages": messages }).to_string()
}

/// Sends one request and reads its response.
fn request(connection: &mut BufReader<TcpStream>, token: &str, body: &str) -> Result<()> {
    let request = format!(
        "POST /v1/publish HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.get_mut().write_all(request.as_bytes())?;
    let (mut line, mut length) = (String::new(), 0);
    let mut status = None;
    loop {
        line.clear();
        connection.read_line(&mut line)?;
        let text = line.trim();
        if status.is_none() {
            status = Some(text.starts_with("HTTP/1.1 200"));
        } else if text.is_empty() {
            break;
        } else if let Some(value) = text.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().context("the content-length of the response is not a number")?;
        }
    }
    let mut response = vec![0; length];
    connection.read_exact(&mut response)?;
    let response = String::from_utf8_lossy(&response);
    ensure!(status == Some(true) && !response.contains("\"error\""), "the relay refused: {response}");
    Ok(())
}
