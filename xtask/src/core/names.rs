//! Shortens the names with which a module and its JavaScript refer to each other. wasm-bindgen's names contain types and
//! digests, which do not compress: they are 4 % of a core.

use std::{collections::HashMap, path::Path};

use anyhow::{Context, Result, ensure};
use regex::{Captures, Regex};
use serde_json::Value;

use super::bindgen::Glue;
use crate::files;

/// The module of the imports in wasm-bindgen's output, and its short name.
const MODULE: [&str; 2] = ["\"./core_bg.js\"", "\"a\""];

/// The short names that wasm-opt gave to the imports and exports of a module.
pub(super) struct Names {
    imports: HashMap<String, String>,
    exports: HashMap<String, String>,
}

impl Names {
    /// Reads the output of wasm-opt's pass `minify-imports-and-exports-and-modules`.
    pub(super) fn parse(printed: &str) -> Result<Self> {
        let lists: Value =
            serde_json::from_str(printed).context("wasm-opt printed no list of short names")?;
        let read = |list: &str, long: usize| -> Option<HashMap<String, String>> {
            let names = lists[list].as_array()?.iter();
            names.map(|name| Some((name[long].as_str()?.into(), name[long + 1].as_str()?.into()))).collect()
        };
        let (imports, exports) = read("imports", 1)
            .zip(read("exports", 0))
            .context("wasm-opt printed its short names in another form; adapt xtask/src/core/names.rs")?;
        Ok(Self { imports, exports })
    }

    /// Rewrites the glue, so that it provides the imports and uses the exports under their short names.
    pub(super) fn apply(&self, glue: &Path, kind: Glue) -> Result<()> {
        files::write(glue, self.shorten(&files::read_text(glue)?, kind)?)
    }

    fn shorten(&self, glue: &str, kind: Glue) -> Result<String> {
        let provided = match kind {
            Glue::Web => Regex::new(r"(?P<before>[{,\s])(?P<name>\w+)(?P<after>: )")?,
            Glue::Bundler => Regex::new(r"(?P<before>\n)export (?P<after>function (?P<name>\w+))")?,
        };
        let mut aliases = Vec::new();
        let short = provided.replace_all(glue, |found: &Captures<'_>| {
            let Some(short) = self.imports.get(&found["name"]) else { return found[0].to_owned() };
            aliases.push(format!("{} as {short}", &found["name"]));
            match kind {
                Glue::Web => [&found["before"], short, &found["after"]].concat(),
                Glue::Bundler => [&found["before"], &found["after"]].concat(),
            }
        });
        let short = match kind {
            Glue::Web => short.replace(MODULE[0], MODULE[1]),
            Glue::Bundler => format!("{short}\nexport {{ {} }};\n", aliases.join(", ")),
        };
        ensure!(
            aliases.len() == self.imports.len(),
            "wasm-bindgen's glue provides {} of the {} imports in the expected form; adapt xtask/src/core/names.rs to this \
             version of wasm-bindgen",
            aliases.len(),
            self.imports.len()
        );
        self.shorten_exports(&short, "wasm")
    }

    /// Shortens the names of exports, which are properties of the variable `object`.
    pub(super) fn shorten_exports(&self, script: &str, object: &str) -> Result<String> {
        let used = Regex::new(&format!(r"\b{object}\.(\w+)"))?;
        Ok(used
            .replace_all(script, |found: &Captures<'_>| match self.exports.get(&found[1]) {
                Some(short) => format!("{object}.{short}"),
                None => found[0].to_owned(),
            })
            .into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::{Glue, Names};

    const PRINTED: &str = r#"{
        "imports": [["./core_bg.js", "__wbg_now_1", "A"], ["./core_bg.js", "__wbg_send_2", "B"]],
        "exports": [["client_close", "C"], ["memory", "D"]]
    }"#;

    fn shorten(glue: &str, kind: Glue) -> Result<String, String> {
        Names::parse(PRINTED).and_then(|names| names.shorten(glue, kind)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_glue_for_pages_provides_and_uses_short_names() {
        let glue = "const imports = {\n __wbg_now_1: () => 1,\n __wbg_send_2: function(arg0) { wasm.client_close(arg0); },\n};\n\
                    return { \"./core_bg.js\": imports, other: wasm.memory.buffer, none: wasm.unknown };";
        let short = "const imports = {\n A: () => 1,\n B: function(arg0) { wasm.C(arg0); },\n};\n\
                     return { \"a\": imports, other: wasm.D.buffer, none: wasm.unknown };";
        assert_eq!(shorten(glue, Glue::Web).as_deref(), Ok(short));
    }

    #[test]
    fn the_glue_for_plain_javascript_exports_its_functions_under_short_names() {
        let glue = "let wasm;\nexport function __wbg_now_1() { return wasm.memory; }\nexport function __wbg_send_2() {}\n\
                    export function version() {}\n";
        let short = "let wasm;\nfunction __wbg_now_1() { return wasm.D; }\nfunction __wbg_send_2() {}\n\
                     export function version() {}\n\nexport { __wbg_now_1 as A, __wbg_send_2 as B };\n";
        assert_eq!(shorten(glue, Glue::Bundler).as_deref(), Ok(short));
    }

    #[test]
    fn an_import_that_the_glue_does_not_provide_is_an_error() {
        let error =
            shorten("return { __wbg_now_1: 1 };", Glue::Web).expect_err("the other import is missing");
        assert!(error.contains("1 of the 2 imports"), "{error}");
    }

    #[test]
    fn another_form_of_wasm_opts_list_is_an_error() {
        assert!(Names::parse(r#"{ "imports": [["A"]], "exports": [] }"#).is_err());
        assert!(Names::parse("").is_err());
    }
}
