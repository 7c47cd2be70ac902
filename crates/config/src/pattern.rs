//! Wildcards: what `*` stands for in a model name, and where that text goes in the target.

/// A model name with at least one `*`, each of which stands for any text, also for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The literal texts around the wildcards: one more than there are wildcards.
    literals: Box<[Box<str>]>,
}

impl Pattern {
    /// Reads a name; `None` when it has no `*`.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        let literals: Box<[Box<str>]> = name.split('*').map(Box::from).collect();
        (literals.len() > 1).then_some(Self { literals })
    }

    /// What the wildcards stand for in a name, in order; `None` when the name does not match.
    ///
    /// The whole name must match. Where several readings are possible an earlier wildcard takes as
    /// much as it can, as in the regular expressions that LiteLLM makes of these patterns.
    #[must_use]
    pub fn captures<'t>(&self, name: &'t str) -> Option<Vec<&'t str>> {
        let (first, others) = self.literals.split_first()?;
        let (last, middle) = others.split_last()?;
        let mut rest = name.strip_prefix(&**first)?.strip_suffix(&**last)?;
        let mut captured = Vec::with_capacity(others.len());
        // From the right, each literal at its last place: then every wildcard before it is longest.
        for literal in middle.iter().rev() {
            let at = rest.rfind(&**literal)?;
            captured.push(rest.get(at + literal.len()..)?);
            rest = rest.get(..at)?;
        }
        captured.push(rest);
        captured.reverse();
        Some(captured)
    }

    /// The name with its wildcards replaced by these texts, in order.
    pub(crate) fn fill(&self, texts: &[&str]) -> String {
        let mut texts = texts.iter();
        let mut filled = String::new();
        for (at, literal) in self.literals.iter().enumerate() {
            if at > 0 {
                filled.push_str(texts.next().copied().unwrap_or("*"));
            }
            filled.push_str(literal);
        }
        filled
    }

    /// How many wildcards there are.
    #[must_use]
    pub fn wildcards(&self) -> usize {
        self.literals.len() - 1
    }

    /// Orders patterns: more literal text comes first, then fewer wildcards
    /// (runtime-semantics §7.2).
    pub(crate) fn specificity(&self) -> (std::cmp::Reverse<usize>, usize) {
        let literal = self.literals.iter().map(|literal| literal.len()).sum();
        (std::cmp::Reverse(literal), self.wildcards())
    }
}

/// The target with its wildcards filled in from left to right. A target without wildcards stays;
/// one with fewer wildcards than were captured is given up for the whole name (config.md,
/// wildcards).
pub(crate) fn fill(target: &str, captured: &[&str], whole: &str) -> String {
    match Pattern::read(target) {
        None => target.to_owned(),
        Some(target) if captured.len() > target.wildcards() => whole.to_owned(),
        Some(target) => target.fill(captured),
    }
}

#[cfg(test)]
mod tests;
