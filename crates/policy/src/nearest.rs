//! The names nearest to one that does not exist, for "did you mean".

/// At most `most` of `names` that `wanted` is probably a misspelling of, nearest first, then by
/// name. Capitals do not count, and neither does a `provider/` before a name that fits.
///
/// The work is bounded: a longer text than [`TEXT_BYTES_MAX`] has no neighbours, and only the first
/// [`NAMES_MAX`] names are looked at.
pub fn nearest<'a>(
    wanted: &str,
    names: impl Iterator<Item = &'a str>,
    most: usize,
) -> Vec<&'a str> {
    if wanted.is_empty() || wanted.len() > TEXT_BYTES_MAX || most == 0 {
        return Vec::new();
    }
    // A long provider before a short name does not make the name harder to spell.
    let limit = tolerance(after_provider(wanted));
    let mut found: Vec<(usize, &'a str)> = names
        .take(NAMES_MAX)
        .filter(|name| !name.is_empty() && name.len() <= TEXT_BYTES_MAX && *name != wanted)
        .filter_map(|name| Some((distance_of_names(wanted, name, limit)?, name)))
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(most).map(|(_, name)| name).collect()
}

/// How many edits a misspelling of this text may have: one in three characters.
fn tolerance(wanted: &str) -> usize {
    (wanted.chars().count() / 3).clamp(1, EDITS_MAX)
}

/// The distance of the whole names, or of what follows their provider, which counts as one edit.
fn distance_of_names(wanted: &str, name: &str, limit: usize) -> Option<usize> {
    let whole = distance(wanted, name, limit);
    if !wanted.contains('/') && !name.contains('/') {
        return whole;
    }
    let tail = distance(after_provider(wanted), after_provider(name), limit);
    match (whole, tail.map(|edits| edits + 1)) {
        (Some(whole), Some(tail)) => Some(whole.min(tail)),
        (whole, tail) => whole.or(tail),
    }
}

fn after_provider(name: &str) -> &str {
    name.rsplit_once('/').map_or(name, |(_, tail)| tail)
}

/// The least number of insertions, removals, replacements and swaps of neighbours that turn one
/// text into the other (optimal string alignment), or `None` when it is more than `limit`.
///
/// Only a band of `limit` around the diagonal is computed, and nothing once a row is out of reach.
fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    if a.chars().count().abs_diff(b.chars().count()) > limit {
        return None;
    }
    let (a, b) = (letters(a), letters(b));
    let far = limit + 1;
    // Only cells inside the band and next to it are read, so what a reused row holds elsewhere
    // does not matter.
    let mut rows = [vec![far; b.len() + 2], (0..b.len() + 2).collect(), vec![far; b.len() + 2]];
    let mut least_above = 0;
    for i in 1..=a.len() {
        let [before, above, row] = &mut rows;
        let (first, last) = (i.saturating_sub(limit).max(1), b.len().min(i + limit));
        row[first - 1] = if first == 1 { i.min(far) } else { far };
        let mut least = row[first - 1];
        for j in first..=last {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut edits = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                edits = edits.min(before[j - 2] + 1);
            }
            row[j] = edits.min(far);
            least = least.min(edits);
        }
        row[last + 1] = far;
        // A later row builds on this one or, by a swap, on the one before.
        if least.min(least_above) > limit {
            return None;
        }
        least_above = least;
        rows.rotate_left(1);
    }
    rows[1].get(b.len()).copied().filter(|edits| *edits <= limit)
}

fn letters(text: &str) -> Vec<char> {
    text.chars().map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Longest text that is compared, in bytes: the longest model name.
const TEXT_BYTES_MAX: usize = 256;
/// How many names are looked at.
const NAMES_MAX: usize = 10_000;
/// The most edits of a misspelling, however long the text.
const EDITS_MAX: usize = 8;

#[cfg(test)]
mod tests;
