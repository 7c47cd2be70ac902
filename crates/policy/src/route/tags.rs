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
    /// As they were sent: `a` is wanted, `&a` required, `!a` excluded.
    pub tags: &'a [&'a str],
    /// How many of the wanted ones are enough.
    pub matching: TagMatch,
}

/// The tags that a call asks for, by what they mean: read once and not for each deployment.
pub(super) struct Asked<'a> {
    wanted: Vec<&'a str>,
    required: Vec<&'a str>,
    excluded: Vec<&'a str>,
    matching: TagMatch,
}

impl<'a> Asked<'a> {
    pub(super) fn read(ask: TagAsk<'a>) -> Self {
        let (mut wanted, mut required, mut excluded) = (Vec::new(), Vec::new(), Vec::new());
        for tag in ask.tags {
            if let Some(tag) = tag.strip_prefix(EXCLUDED) {
                excluded.push(tag);
            } else if let Some(tag) = tag.strip_prefix(REQUIRED) {
                required.push(tag);
            } else {
                wanted.push(*tag);
            }
        }
        Self { wanted, required, excluded, matching: ask.matching }
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
