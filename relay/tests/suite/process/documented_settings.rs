//! The table of settings in the documentation, which is generated from the relay's table.

use sealwire_relay::{Setting, Settings};
use std::{env, fs, path::Path};

const START: &str = "<!-- The table of settings: made by the test documented_settings. -->\n";
const END: &str = "\n<!-- The end of the table of settings. -->";

fn table() -> String {
    let defaults = Settings::default();
    let mut text = String::from("| setting | default | value | reload | meaning |\n|---|---|---|---|---|\n");
    for setting in Setting::ALL {
        text += &format!(
            "| `{}` | {} | {} | {} | {} |\n",
            setting.key(),
            match setting.value(&defaults).trim_matches('"') {
                "" => "none".to_owned(),
                value => format!("`{value}`"),
            },
            setting.value_name(),
            if setting.reloads() { "yes" } else { "restart" },
            setting.help(),
        );
    }
    text
}

#[test]
fn the_operating_page_has_the_current_table_of_settings() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operating.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(START).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    if env::var_os("SEALWIRE_WRITE_DOCS").is_some() {
        fs::write(&path, format!("{before}{START}{}{END}{after}", table().trim_end())).unwrap();
        return;
    }
    assert_eq!(
        written,
        table().trim_end(),
        "the table is outdated; run this test with SEALWIRE_WRITE_DOCS=1 to write it"
    );
}

#[test]
fn every_heading_that_a_setting_links_to_exists() {
    let page = include_str!("../../../../docs/operating.md");
    let headings: Vec<String> = page
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-"))
        .collect();
    let mut links = 0;
    for setting in Setting::ALL {
        for link in setting.help().split("](").skip(1) {
            let target = link.split(')').next().unwrap();
            let anchor = target.strip_prefix('#').unwrap_or_else(|| {
                panic!(
                    "{setting:?}: the link to {target} only works on one page of the site; link to a heading"
                )
            });
            assert!(headings.iter().any(|heading| heading == anchor), "{setting:?}: #{anchor}");
            links += 1;
        }
    }
    assert!(links >= 4);
}
