//! The links and anchors of Markdown, read with `pulldown-cmark` as GitHub reads it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use pulldown_cmark::{BrokenLink, Event, LinkType, Options, Parser, Tag, TagEnd};

use super::html;

/// A link or the address of an image.
pub(crate) struct Link {
    pub(crate) target: String,
    /// The bytes of the link in the text: text and target of a Markdown link, the whole block of HTML.
    pub(crate) range: Range<usize>,
}

/// The links and anchors of a Markdown text.
#[derive(Default)]
pub(crate) struct Markdown {
    pub(crate) links: Vec<Link>,
    /// Anchors of headings as GitHub makes them, and those that HTML sets.
    pub(crate) anchors: BTreeSet<String>,
    /// The text of the first heading.
    pub(crate) title: Option<String>,
    /// References such as `[text][name]` that nothing defines.
    pub(super) undefined: Vec<Link>,
}

impl Markdown {
    pub(crate) fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut undefined = Vec::new();
        let broken = |link: BrokenLink<'_>| {
            // `[x]` alone is usually text in brackets.
            if matches!(link.link_type, LinkType::Reference | LinkType::Collapsed) {
                undefined.push(Link { target: link.reference.into_string(), range: link.span });
            }
            None
        };
        let parser = Parser::new_with_broken_link_callback(text, options(), Some(broken));
        let mut heading: Option<String> = None;
        let mut repeated = BTreeMap::new();
        for (event, range) in parser.into_offset_iter() {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(Link { target: dest_url.into_string(), range });
                }
                Event::Start(Tag::HtmlBlock) | Event::InlineHtml(_) => page.add_html(text, &range),
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let title = heading.take().unwrap_or_default();
                    page.anchors.insert(unique(anchor(&title), &mut repeated));
                    page.title.get_or_insert(title);
                }
                Event::Text(part) | Event::Code(part) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&part);
                    }
                }
                _ => {}
            }
        }
        page.undefined = undefined;
        page
    }

    fn add_html(&mut self, text: &str, range: &Range<usize>) {
        let found = html::read(&text[range.clone()]);
        self.anchors.extend(found.anchors);
        self.links.extend(
            found
                .links
                .into_iter()
                .map(|(target, offset)| Link { target, range: range.start + offset..range.end }),
        );
    }
}

pub(crate) fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    heading
        .trim()
        .to_lowercase()
        .chars()
        .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

/// The second heading with the same text gets `-1`, the third `-2`.
fn unique(anchor: String, repeated: &mut BTreeMap<String, usize>) -> String {
    let count = repeated.entry(anchor.clone()).or_default();
    *count += 1;
    if *count == 1 { anchor } else { format!("{anchor}-{}", *count - 1) }
}

#[cfg(test)]
mod tests {
    use super::Markdown;

    #[test]
    fn headings_have_the_anchors_of_github() {
        let page = Markdown::read("# What `x_y` is: a (short) list\n\n## Über 2.5 %\n\n## Same\n\n## Same\n");
        let anchors: Vec<_> = page.anchors.iter().map(String::as_str).collect();
        assert_eq!(anchors, ["same", "same-1", "what-x_y-is-a-short-list", "über-25-"]);
        assert_eq!(page.title.as_deref(), Some("What x_y is: a (short) list"));
    }

    #[test]
    fn links_are_found_in_every_form_and_not_in_code() {
        let page = Markdown::read(
            "[a](one.md) ![b](two.png) [c][d] <https://three.example>\n\n`[e](no.md)`\n\n    [f](no.md)\n\n\
             <p align=\"center\">\n<img\n  src=\"four.gif\">\n</p>\n\n[g][nowhere] [h]\n\n[d]: five.md\n",
        );
        let links: Vec<_> = page.links.iter().map(|link| link.target.as_str()).collect();
        assert_eq!(links, ["one.md", "two.png", "five.md", "https://three.example", "four.gif"]);
        let undefined: Vec<_> = page.undefined.iter().map(|link| link.target.as_str()).collect();
        assert_eq!(undefined, ["nowhere"]);
    }
}
