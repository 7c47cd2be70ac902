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
#[derive(Debug, Clone, Copy, Default)]
pub struct TagAsk<'a> {
    /// As they were sent: `a` is wanted, `!a` excluded, `&a` required.
    pub tags: &'a [&'a str],
    /// How many of the wanted ones are enough.
    pub matching: TagMatch,
}

impl TagAsk<'_> {
    /// Whether the call wants or requires any tag, rather than what is for everybody.
    pub(super) fn asks(&self) -> bool {
        self.tags.iter().any(|tag| !tag.starts_with(EXCLUDED))
    }

    /// Whether a deployment with these tags is what the call asks for. Without a wanted tag only
    /// required and excluded ones decide.
    pub(super) fn fits(&self, tags: &[Box<str>], fits_client: bool) -> bool {
        let has = |tag: &str| tags.iter().any(|own| **own == *tag);
        let (mut wanted, mut found) = (0usize, 0usize);
        for tag in self.tags {
            if let Some(excluded) = tag.strip_prefix(EXCLUDED) {
                if has(excluded) {
                    return false;
                }
            } else if let Some(required) = tag.strip_prefix(REQUIRED) {
                if !has(required) {
                    return false;
                }
            } else {
                wanted += 1;
                found += usize::from(has(tag));
            }
        }
        let enough = match self.matching {
            TagMatch::Any => found > 0,
            TagMatch::All => found == wanted,
        };
        wanted == 0 || enough || fits_client
    }

    /// Whether a deployment is excluded by name.
    pub(super) fn excludes(&self, tags: &[Box<str>]) -> bool {
        let mut excluded = self.tags.iter().filter_map(|tag| tag.strip_prefix(EXCLUDED));
        excluded.any(|excluded| tags.iter().any(|own| **own == *excluded))
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
