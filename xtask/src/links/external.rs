//! Links to other sites: their form.

use url::Url;

/// The sentence about a malformed link, or nothing. `None` for links without a scheme, which stay within the repository
/// or the site.
pub(super) fn check(link: &str) -> Option<Result<(), String>> {
    let (scheme, rest) = link.split_once(':')?;
    if scheme.is_empty()
        || !scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
    {
        return None;
    }
    Some(match scheme {
        "http" | "https" => web(link),
        "mailto" if rest.contains('@') => Ok(()),
        "mailto" => Err("it lacks an address; write `mailto:name@example.com`".into()),
        "data" | "javascript" => Ok(()),
        _ => Err(format!("`{scheme}:` is no scheme that a reader can follow; use https")),
    })
}

fn web(link: &str) -> Result<(), String> {
    let url = Url::parse(link).map_err(|error| format!("it is no valid URL ({error}); correct it"))?;
    let host = url.host_str().unwrap_or_default();
    if host.contains('.') || host == "localhost" {
        Ok(())
    } else {
        Err(format!("`{host}` is no complete host name; correct it"))
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_the_form_of_a_link_to_another_site_is_checked() {
        assert_eq!(check("https://example.com/a#b"), Some(Ok(())));
        assert_eq!(check("mailto:security@example.com"), Some(Ok(())));
        assert_eq!(check("docs/a.md"), None);
        assert_eq!(check("#a:b"), None);
        for broken in
            ["https://", "http://exa mple.com", "https://example", "mailto:nobody", "htps://example.com"]
        {
            assert!(check(broken).is_some_and(|result| result.is_err()), "{broken}");
        }
    }
}
