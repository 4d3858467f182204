//! The links and anchors of HTML, read with `html5gum`.

use std::collections::BTreeSet;

use html5gum::{Token, Tokenizer, emitters::default::DefaultEmitter};

/// The elements and attributes with addresses.
const ADDRESSES: [(&[u8], &[u8]); 9] = [
    (b"a", b"href"),
    (b"area", b"href"),
    (b"link", b"href"),
    (b"img", b"src"),
    (b"img", b"srcset"),
    (b"script", b"src"),
    (b"iframe", b"src"),
    (b"source", b"src"),
    (b"source", b"srcset"),
];

/// The links and anchors of an HTML text.
#[derive(Default)]
pub(super) struct Html {
    /// Addresses with the byte offset of their element.
    pub(super) links: Vec<(String, usize)>,
    /// The values of `id`, and of `name` on `<a>`.
    pub(super) anchors: BTreeSet<String>,
}

pub(super) fn read(text: &str) -> Html {
    let mut html = Html::default();
    let mut emitter = DefaultEmitter::<usize>::new_with_span();
    // The content of scripts and styles is text.
    emitter.naively_switch_states(true);
    for token in Tokenizer::new_with_emitter(text, emitter).flatten() {
        let Token::StartTag(tag) = token else { continue };
        for (attribute, value) in &tag.attributes {
            let text = String::from_utf8_lossy(value).into_owned();
            let (element, attribute): (&[u8], &[u8]) = (&tag.name, attribute);
            if attribute == b"id" || (element == b"a" && attribute == b"name") {
                html.anchors.insert(text);
            } else if ADDRESSES.contains(&(element, attribute)) {
                let offset = tag.span.start;
                if attribute == b"srcset" {
                    // `one.png 1x, two.png 2x`
                    let addresses = text.split(',').filter_map(|part| part.split_whitespace().next());
                    html.links.extend(addresses.map(|address| (address.to_owned(), offset)));
                } else {
                    html.links.push((text, offset));
                }
            }
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn addresses_and_anchors_are_read_and_scripts_are_not() {
        let html = read(
            "<p id=one><a name='two' href=\"a.html#b&amp;c\">x</a>\n<source srcset=\"d.png 1x, e.png 2x\">\
             <script>const text = '<a href=\"f.html\" id=\"g\">';</script><!-- <a href=h.html> -->",
        );
        let links: Vec<_> = html.links.iter().map(|(link, _)| link.as_str()).collect();
        assert_eq!(links, ["a.html#b&c", "d.png", "e.png"]);
        assert_eq!(html.anchors.iter().collect::<Vec<_>>(), ["one", "two"]);
    }
}
