//! What docs/protocol.md says of codes is what the code says.

use sealwire_protocol::Code;

#[test]
fn the_protocol_page_lists_every_code_with_its_close_code_and_retry() {
    let page = include_str!("../../docs/protocol.md");
    let rows: Vec<_> = page.lines().filter(|line| line.contains("` | 4")).collect();
    assert_eq!(rows.len(), Code::ALL.len());
    for (row, code) in rows.into_iter().zip(Code::ALL) {
        let again = if code.retryable() { "yes" } else { "no" };
        let start =
            format!("| {} | `{}` | {} | {again} | ", code.number(), code.name(), code.close_code() as u16);
        assert!(row.starts_with(&start), "{row}\n{start}");
    }
}
