//! The pages of `docs/compat` name a test for what they claim. The tests must be there.

const PAGES: [(&str, &str); 3] = [
    ("tini.md", include_str!("../../../../docs/compat/tini.md")),
    ("dumb-init.md", include_str!("../../../../docs/compat/dumb-init.md")),
    ("catatonit.md", include_str!("../../../../docs/compat/catatonit.md")),
];

const MODULES: [(&str, &str); 7] = [
    ("catatonit", include_str!("catatonit.rs")),
    ("dumb_init", include_str!("dumb_init.rs")),
    ("every_door", include_str!("every_door.rs")),
    ("leaving", include_str!("leaving.rs")),
    ("signals", include_str!("signals.rs")),
    ("terminals", include_str!("terminals.rs")),
    ("tini", include_str!("tini.rs")),
];

/// The tests that a page names: what stands between backquotes and has a module.
fn named(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split('`').skip(1).step_by(2).filter_map(|quoted| quoted.split_once("::"))
}

#[test]
fn every_test_that_a_page_names_exists() {
    let mut missing = vec![];
    for (page, text) in PAGES {
        for (module, test) in named(text) {
            let source = MODULES.iter().find(|(name, _)| *name == module);
            if !source.is_some_and(|(_, source)| source.contains(&format!("#[test]\nfn {test}()")))
            {
                missing.push(format!("{page}: {module}::{test}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_test_of_a_door_is_named_by_a_page() {
    let mut unnamed = vec![];
    for (module, source) in &MODULES {
        for after in source.split("#[test]\nfn ").skip(1) {
            let test = after.split('(').next().unwrap_or_default();
            if !PAGES.iter().any(|(_, page)| named(page).any(|name| name == (*module, test))) {
                unnamed.push(format!("{module}::{test}"));
            }
        }
    }
    assert!(unnamed.is_empty(), "{}", unnamed.join("\n"));
}
