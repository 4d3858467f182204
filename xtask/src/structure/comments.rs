//! The report `comments`: comment lines that begin with a question word. Such a sentence usually has a clause as its
//! subject and reads better with a noun: "The reason …" instead of "Why …".

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Result;

use super::sources;
use crate::{files, workspace::Workspace};

const QUESTION_WORDS: [&str; 11] =
    ["What", "Who", "Whom", "Whose", "Whoever", "Which", "Whether", "Where", "When", "How", "Why"];
/// The beginnings of a comment line, longest first. ` * ` continues a block comment.
const MARKERS: [&str; 6] = ["///", "//!", "//", "/**", "/*", "* "];

/// Prints the number of such lines in each top-level folder, and with `verbose` the lines themselves.
pub(crate) fn report(workspace: &Workspace, verbose: bool) -> Result<()> {
    let mut counts: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for file in sources::rust(workspace).into_iter().chain(sources::scripts(workspace)) {
        let text = files::read_text(&workspace.root.join(&file))?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| begins_with_question_word(line)) {
            *counts.entry(folder(&file)).or_default() += 1;
            if verbose {
                println!("{}:{}: {}", file.display(), number + 1, line.trim());
            }
        }
    }
    let total: usize = counts.values().sum();
    let folders: Vec<_> =
        counts.iter().map(|(folder, count)| format!("{} {count}", folder.display())).collect();
    let hint =
        if verbose || total == 0 { "" } else { " (`cargo xtask check comments --verbose` lists them)" };
    println!("{total} comment lines begin with a question word{hint}: {}", folders.join(", "));
    Ok(())
}

/// The top-level folder of a file.
fn folder(file: &Path) -> PathBuf {
    file.components().next().map(|part| PathBuf::from(part.as_os_str())).unwrap_or_default()
}

fn begins_with_question_word(line: &str) -> bool {
    let line = line.trim_start();
    let Some(text) = MARKERS.iter().find_map(|marker| line.strip_prefix(marker)) else { return false };
    let word = text.split_whitespace().next().unwrap_or_default();
    QUESTION_WORDS.contains(&word.trim_end_matches(','))
}

#[cfg(test)]
mod tests {
    use super::begins_with_question_word;

    #[test]
    fn only_the_beginning_of_a_comment_counts() {
        for line in
            ["/// What a page is told.", "    // Whether it is so.", " * Which one.", "//! How it runs."]
        {
            assert!(begins_with_question_word(line), "{line}");
        }
        for line in ["/// The state, which is kept.", "// which continues a sentence", "let What = 1;", "//"]
        {
            assert!(!begins_with_question_word(line), "{line}");
        }
    }
}
