//! The size budget of the package: `pkg/size-budget.json`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{files, workspace::Workspace};

const FILE: &str = "pkg/size-budget.json";

/// The sizes of a script that an app downloads, together with its static imports.
#[derive(Debug, PartialEq)]
pub(super) struct Weight {
    /// `index`, `react`, `core-wasm`, …
    pub(super) name: String,
    pub(super) raw: usize,
    pub(super) gzip: usize,
    pub(super) brotli: usize,
}

/// The largest sizes that an entry may have, in bytes.
#[derive(Debug, PartialEq)]
pub(super) struct Budget {
    pub(super) gzip: usize,
    pub(super) brotli: usize,
}

pub(super) type Budgets = BTreeMap<String, Budget>;

pub(super) fn read(workspace: &Workspace) -> Result<Budgets> {
    let value: Value = serde_json::from_slice(&files::read(&workspace.root.join(FILE))?)?;
    parse(&value)
        .with_context(|| format!("{FILE} must hold {{ entry: {{ \"gzip\": bytes, \"brotli\": bytes }} }}"))
}

fn parse(value: &Value) -> Option<Budgets> {
    let entries = value.as_object()?;
    entries
        .iter()
        .map(|(name, sizes)| {
            let bytes = |encoding| usize::try_from(sizes.get(encoding)?.as_u64()?).ok();
            Some((name.clone(), Budget { gzip: bytes("gzip")?, brotli: bytes("brotli")? }))
        })
        .collect()
}

/// Fails with a sentence for every entry that exceeds its budget, has no budget, or does not exist.
pub(super) fn check(weights: &[Weight], budgets: &Budgets) -> Result<()> {
    let mut faults = Vec::new();
    for Weight { name, gzip, brotli, .. } in weights {
        let Some(budget) = budgets.get(name) else {
            faults.push(format!("{name} has no budget"));
            continue;
        };
        for (encoding, bytes, most) in [("gzip", *gzip, budget.gzip), ("brotli", *brotli, budget.brotli)] {
            if bytes > most {
                let over = bytes - most;
                faults.push(format!(
                    "{name} grew to {bytes} bytes of {encoding}, {over} over its budget of {most}"
                ));
            }
        }
    }
    for name in budgets.keys().filter(|name| weights.iter().all(|weight| weight.name != **name)) {
        faults.push(format!("{name} has a budget but is not in pkg/dist"));
    }
    ensure!(
        faults.is_empty(),
        "the package exceeds its budget: {}. Make it smaller, or, if the growth is worth its bytes, raise the budget in \
         {FILE} to about 5 % above the sizes printed here",
        faults.join("; ")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Weight, check, parse};

    fn weight(name: &str, gzip: usize, brotli: usize) -> Weight {
        Weight { name: name.into(), raw: 9, gzip, brotli }
    }

    fn fault(weights: &[Weight]) -> String {
        let budgets = parse(&json!({ "index": { "gzip": 100, "brotli": 90 } })).expect("it is well formed");
        check(weights, &budgets).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn an_entry_within_its_budget_passes() {
        assert_eq!(fault(&[weight("index", 100, 90)]), "");
    }

    #[test]
    fn an_entry_over_its_budget_is_named_with_its_growth_and_the_file_of_the_budget() {
        let sentence = fault(&[weight("index", 100, 97)]);
        assert!(sentence.contains("index grew to 97 bytes of brotli, 7 over its budget of 90"), "{sentence}");
        assert!(sentence.contains("pkg/size-budget.json"), "{sentence}");
    }

    #[test]
    fn an_entry_without_a_budget_and_a_budget_without_an_entry_are_faults() {
        let sentence = fault(&[weight("react", 1, 1)]);
        assert!(
            sentence.contains("react has no budget; index has a budget but is not in pkg/dist"),
            "{sentence}"
        );
    }

    #[test]
    fn a_budget_without_a_number_is_refused() {
        assert_eq!(parse(&json!({ "index": { "gzip": 100 } })), None);
        assert_eq!(parse(&json!([])), None);
    }
}
