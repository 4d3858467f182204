//! JavaScript and TypeScript blocks, compiled against the types of the package as an app's are.
//!
//! A block is a part of an app: a name that it does not declare, such as `show`, belongs to the app around it and has
//! any type. `realtime`, `Jira` and `resolver` are those of the package and of Forge. Everything that a block imports
//! and calls is checked.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use anyhow::{Context, Result};
use serde_json::json;

use super::blocks::Block;
use crate::{files, links::Fault, workspace::Workspace};

/// The errors that only say that a name is that of the app around the block: undeclared names, and names that
/// `completed` declares below their use (2454). `NO_MODULE` is one of them for a relative import.
const OF_THE_APP: [&str; 4] = ["TS2304", "TS2552", "TS18004", "TS2454"];
const NO_MODULE: &str = "TS2307";
/// Words that only code of an app's functions uses.
const OF_FUNCTIONS: [&str; 6] = [
    "sealwire/resolver",
    "createRealtime",
    "resolver.define",
    "publishStream",
    "signRealtimeToken",
    "rotateKey",
];

pub(super) fn check(workspace: &Workspace, blocks: &[Block]) -> Result<Vec<Fault>> {
    let folder = workspace.root.join("target/samples");
    files::empty_folder(&folder)?;
    let mut names = BTreeMap::new();
    for (number, block) in blocks.iter().enumerate() {
        let name = format!("sample-{number}.{}", block.language);
        files::write(&folder.join(&name), completed(&block.code, block.language.starts_with('t')))?;
        names.insert(name, block);
    }
    files::write(&folder.join("tsconfig.json"), settings().to_string())?;
    let output = duct::cmd!("node", "node_modules/typescript/bin/tsc", "--pretty", "false", "-p", &folder)
        .dir(&workspace.root)
        .stdout_capture()
        .unchecked()
        .run()
        .context("the TypeScript compiler did not start")?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| fault(&names, line)).collect())
}

fn settings() -> serde_json::Value {
    json!({
        "compilerOptions": {
            "target": "es2022",
            "lib": ["es2023", "dom", "dom.iterable"],
            "module": "esnext",
            "moduleResolution": "bundler",
            "moduleDetection": "force",
            "jsx": "react-jsx",
            "allowJs": true,
            "checkJs": true,
            "strict": true,
            "noImplicitAny": false,
            "noEmit": true,
            "skipLibCheck": true,
            "types": [],
        },
        "include": ["*"],
    })
}

/// The code, followed by declarations of the names that it takes from the rest of its file. The lines of the code keep
/// their numbers.
fn completed(code: &str, is_typescript: bool) -> String {
    let has = |word: &str| {
        code.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|found| found == word)
    };
    let declares = |name: &str| {
        code.contains(&format!("const {name}"))
            || code.lines().any(|line| line.trim_start().starts_with("import ") && line.contains(name))
    };
    let is_function = OF_FUNCTIONS.iter().any(|word| code.contains(word));
    let mut completed = format!("{code}\nexport {{}};\n");
    let mut declare = |name: &str, kind: &str| {
        let _ = if is_typescript {
            writeln!(completed, "declare const {name}: {kind};")
        } else {
            writeln!(completed, "/** @type {{{kind}}} */ var {name};")
        };
    };
    let package = if is_function { "sealwire/resolver" } else { "sealwire" };
    if has("realtime") && !declares("realtime") {
        let kind = if is_function { "Realtime" } else { "realtime" };
        let query = if is_function { "" } else { "typeof " };
        declare("realtime", &format!("{query}import('{package}').{kind}"));
    }
    if has("Jira") && !declares("Jira") {
        declare("Jira", &format!("typeof import('{package}').Jira"));
    }
    // The event of a Forge consumer; browsers have a global of the same name.
    if is_function && has("event") && !declares("event") {
        declare("event", "any");
    }
    completed
}

/// The fault of a compiler's line `sample-3.ts(2,7): error TS2339: …`.
fn fault(names: &BTreeMap<String, &Block>, line: &str) -> Option<Fault> {
    let (place, message) = line.split_once(": error ")?;
    let (path, position) = place.split_once('(')?;
    let block = names.get(Path::new(path).file_name()?.to_str()?)?;
    let code = message.split(':').next()?;
    let is_of_the_app = OF_THE_APP.contains(&code)
        || (code == NO_MODULE && (message.contains("module './") || message.contains("module '../")));
    if is_of_the_app {
        return None;
    }
    let number = position.split(',').next()?.parse().ok()?;
    Some(block.fault(number, format!("it does not compile: {message}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block() -> Block {
        Block { page: "README.md".into(), line: 10, language: "js".into(), code: String::new(), reason: None }
    }

    #[test]
    fn an_error_is_reported_at_the_line_of_the_page() {
        let block = block();
        let names = BTreeMap::from([("sample-0.ts".to_owned(), &block)]);
        let found = fault(&names, "target/samples/sample-0.ts(2,7): error TS2339: No such property.")
            .expect("it is a fault");
        assert_eq!(
            found.to_string(),
            "README.md:12: `js block`: it does not compile: TS2339: No such property."
        );
    }

    #[test]
    fn names_of_the_app_around_a_block_are_no_errors() {
        let block = block();
        let names = BTreeMap::from([("sample-0.ts".to_owned(), &block)]);
        for message in ["TS2304: Cannot find name 'show'.", "TS2307: Cannot find module '../src/index.js'."] {
            assert!(fault(&names, &format!("sample-0.ts(1,1): error {message}")).is_none(), "{message}");
        }
        assert!(fault(&names, "sample-0.ts(1,1): error TS2307: Cannot find module 'sealwire/x'.").is_some());
    }

    #[test]
    fn a_block_gets_the_names_of_its_own_side() {
        let page = completed("await realtime.close();", false);
        assert!(page.contains("/** @type {typeof import('sealwire').realtime} */ var realtime;"), "{page}");
        let function = completed("await realtime.rotateKey(event);", true);
        assert!(
            function.contains("declare const realtime: import('sealwire/resolver').Realtime;"),
            "{function}"
        );
        assert!(function.contains("declare const event: any;"), "{function}");
        let code = "import { realtime, Jira } from 'sealwire';\nrealtime.publish(Jira)";
        assert_eq!(completed(code, false), format!("{code}\nexport {{}};\n"));
    }
}
