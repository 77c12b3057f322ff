//! What is left when no client's shape applies: a code that the catalogue knows.

use super::{Case, Rule};
use crate::fault::{Fault, catalogue};

/// An error with a known code and no cause that says more.
pub struct Known;

impl Rule for Known {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let code = case.code().filter(|_| case.inner.is_none())?;
        catalogue::find(code)?;
        Some(case.described(Fault::of_code(code.to_owned())))
    }
}

/// A string that is nothing but a known code: what is left of an error that was logged or sent as text.
pub struct Text;

impl Rule for Text {
    fn judge(&self, case: &Case<'_>) -> Option<Fault> {
        let text = case.message().filter(|_| case.link.text)?;
        catalogue::find(text)?;
        Some(Fault::of_code(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use crate::fault::evidence::{Evidence, Link};
    use crate::fault::{Kind, classify};

    fn judge(link: Link) -> Kind {
        classify(&Evidence { links: vec![link], ..Evidence::default() }).kind
    }

    #[test]
    fn every_code_of_the_catalogue_is_recognised_on_an_error() {
        for entry in crate::fault::catalogue::entries() {
            let link = Link { code: Some(entry.code.into()), ..Link::default() };
            let fault = classify(&Evidence { links: vec![link], ..Evidence::default() });
            assert_eq!((fault.kind, fault.transient), (entry.kind, entry.transient), "{}", entry.code);
        }
    }

    #[test]
    fn a_string_counts_only_if_it_is_a_code_and_nothing_else() {
        let text = |text: &str| Link { text: true, message: Some(text.into()), ..Link::default() };
        assert_eq!(judge(text("ECONNRESET")), Kind::Reset);
        assert_eq!(judge(text("read ECONNRESET")), Kind::Unknown);
        assert_eq!(judge(Link { message: Some("ECONNRESET".into()), ..Link::default() }), Kind::Unknown);
    }
}
