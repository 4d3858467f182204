//! What the package may weigh: `pkg/size-budget.json`.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::sizes::Weight;
use crate::{files, workspace::Workspace};

const FILE: &str = "pkg/size-budget.json";

/// Bytes of one entry with everything that it imports from the start.
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

/// Fails with a sentence for everything that is too heavy, or of which one of the two sides knows nothing.
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
        faults.push(format!("{name} has a budget and is not in pkg/dist"));
    }
    ensure!(
        faults.is_empty(),
        "the package does not keep to its budget: {}. Make it smaller, or, where the growth is worth its bytes, \
         change {FILE} to some 5 % above the sizes printed here",
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
    fn what_is_within_its_budget_passes() {
        assert_eq!(fault(&[weight("index", 100, 90)]), "");
    }

    #[test]
    fn the_sentence_names_what_grew_by_how_much_and_where_the_budget_is() {
        let sentence = fault(&[weight("index", 100, 97)]);
        assert!(sentence.contains("index grew to 97 bytes of brotli, 7 over its budget of 90"), "{sentence}");
        assert!(sentence.contains("pkg/size-budget.json"), "{sentence}");
    }

    #[test]
    fn entries_without_budget_and_budgets_without_entry_are_faults() {
        let sentence = fault(&[weight("react", 1, 1)]);
        assert!(
            sentence.contains("react has no budget; index has a budget and is not in pkg/dist"),
            "{sentence}"
        );
    }

    #[test]
    fn a_budget_that_lacks_a_number_is_refused() {
        assert_eq!(parse(&json!({ "index": { "gzip": 100 } })), None);
        assert_eq!(parse(&json!([])), None);
    }
}
