//! The link checker: every link and anchor of the Markdown files and of the documentation site, without a network. Of a
//! link to another site, only the form is checked. `cargo xtask check` and `cargo xtask docs` call it.

mod external;
mod fault;
mod html;
mod markdown;
mod repository;
mod site;

pub(crate) use self::{
    fault::{Fault, report},
    markdown::{Link, Markdown, options as markdown_options},
    repository::{REPOSITORY, check as check_markdown, pages, repository_path},
    site::check as check_site,
};
