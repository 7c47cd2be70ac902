//! Routing by tags (runtime-semantics §7.4).

/// How many of a call's tags a deployment must have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TagMatch {
    /// One of them: `tag_filtering_match_any`, the default.
    #[default]
    Any,
    /// Each of them.
    All,
}

/// The tags that a call asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagAsk<'a> {
    wanted: Vec<&'a str>,
    required: Vec<&'a str>,
    excluded: Vec<&'a str>,
    matching: TagMatch,
}

impl<'a> TagAsk<'a> {
    /// Reads tags as they are sent: `a` is wanted, `&a` required, `!a` excluded.
    #[must_use]
    pub fn read(tags: impl IntoIterator<Item = &'a str>, matching: TagMatch) -> Self {
        let mut ask = Self { matching, ..Self::default() };
        for tag in tags {
            if let Some(excluded) = tag.strip_prefix(EXCLUDED) {
                ask.excluded.push(excluded);
            } else if let Some(required) = tag.strip_prefix(REQUIRED) {
                ask.required.push(required);
            } else {
                ask.wanted.push(tag);
            }
        }
        ask
    }

    /// Whether the call wants or requires any tag, rather than what is for everybody.
    pub(super) const fn asks(&self) -> bool {
        !self.wanted.is_empty() || !self.required.is_empty()
    }

    /// Whether a deployment with these tags is what the call asks for. Without a wanted tag only
    /// required and excluded ones decide.
    pub(super) fn fits(&self, tags: &[Box<str>], fits_client: bool) -> bool {
        let has = |tag: &&str| tags.iter().any(|own| **own == **tag);
        let enough = match self.matching {
            _ if self.wanted.is_empty() || fits_client => true,
            TagMatch::Any => self.wanted.iter().any(has),
            TagMatch::All => self.wanted.iter().all(has),
        };
        enough && self.required.iter().all(has) && !self.excludes(tags)
    }

    /// Whether a deployment is excluded by name.
    pub(super) fn excludes(&self, tags: &[Box<str>]) -> bool {
        self.excluded.iter().any(|excluded| tags.iter().any(|own| **own == **excluded))
    }
}

/// Whether a deployment is for calls that no other deployment is meant for.
pub(super) fn is_default(tags: &[Box<str>]) -> bool {
    tags.iter().any(|tag| &**tag == DEFAULT)
}

/// The tag of deployments for calls without tags, and for those whose tags nobody has.
const DEFAULT: &str = "default";
const EXCLUDED: char = '!';
const REQUIRED: char = '&';
