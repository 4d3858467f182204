//! The fenced blocks of a Markdown page.

use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use crate::links;

/// A fenced block.
#[derive(Debug)]
pub(super) struct Block {
    /// The page with the block, relative to the repository.
    pub(super) page: PathBuf,
    /// The line of the opening fence, counted from 1.
    pub(super) line: usize,
    pub(super) language: String,
    pub(super) code: String,
    /// The reason of a block that is not checked.
    pub(super) reason: Option<String>,
}

/// Reads the blocks. Indented code has no language and is no fenced block.
pub(super) fn read(page: &Path, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    let mut reason = None;
    for (event, range) in Parser::new_ext(text, links::markdown_options()).into_offset_iter() {
        match event {
            Event::Html(html) => reason = not_checked(&html).or(reason),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                let line = text[..range.start].matches('\n').count() + 1;
                let language = language.split([' ', ',']).next().unwrap_or_default().to_owned();
                open = Some(Block {
                    page: page.to_owned(),
                    line,
                    language,
                    code: String::new(),
                    reason: reason.take(),
                });
            }
            Event::Text(code) => {
                if let Some(block) = &mut open {
                    block.code.push_str(&code);
                }
            }
            Event::End(TagEnd::CodeBlock) => blocks.extend(open.take()),
            Event::Start(Tag::Paragraph | Tag::Heading { .. } | Tag::List(_) | Tag::Table(_)) => {
                reason = None
            }
            _ => {}
        }
    }
    blocks
}

fn not_checked(html: &str) -> Option<String> {
    let reason = html.trim().strip_prefix("<!-- not checked:")?.strip_suffix("-->")?.trim();
    (!reason.is_empty()).then(|| reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_holds_for_the_next_block_only() {
        let text = "Text\n\n<!-- not checked: it is a part -->\n```js\na\n```\n\n1. Item\n\n   ```sh\n   b\n   ```\n\n    c\n";
        let blocks = read(Path::new("README.md"), text);
        let found: Vec<_> = blocks
            .iter()
            .map(|block| (block.line, block.language.as_str(), block.code.as_str(), block.reason.as_deref()))
            .collect();
        assert_eq!(found, [(4, "js", "a\n", Some("it is a part")), (10, "sh", "b\n", None)]);
    }

    #[test]
    fn a_comment_without_a_reason_is_no_exception() {
        assert_eq!(not_checked("<!-- not checked: -->\n"), None);
        assert_eq!(not_checked("<!-- a remark -->\n"), None);
    }
}
