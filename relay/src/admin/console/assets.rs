//! The files of the console's page, which are part of the binary.

use crate::http;
use warp::{
    http::{HeaderValue, header},
    reply::Response,
};

const HTML: &str = "text/html; charset=utf-8";
const IMAGE: &str = "image/svg+xml";
const STYLE: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The path below `/console/`, the type and the contents of each file. The page itself has no path.
const FILES: [(&str, &str, &str); 11] = [
    ("", HTML, include_str!("page/index.html")),
    ("seal.svg", IMAGE, include_str!("page/seal.svg")),
    ("console.css", STYLE, include_str!("page/console.css")),
    ("panels.css", STYLE, include_str!("page/panels.css")),
    ("console.mjs", SCRIPT, include_str!("page/console.mjs")),
    ("stream.mjs", SCRIPT, include_str!("page/stream.mjs")),
    ("panels.mjs", SCRIPT, include_str!("page/panels.mjs")),
    ("element.mjs", SCRIPT, include_str!("page/element.mjs")),
    ("lookup.mjs", SCRIPT, include_str!("page/lookup.mjs")),
    ("request.mjs", SCRIPT, include_str!("page/request.mjs")),
    ("disconnect.mjs", SCRIPT, include_str!("page/disconnect.mjs")),
];

pub(super) fn serve(path: &str) -> Response {
    let Some((_, kind, contents)) = FILES.iter().find(|(name, ..)| *name == path) else {
        return http::not_found("the console has no such file; open /console");
    };
    let mut response = Response::new((*contents).into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
