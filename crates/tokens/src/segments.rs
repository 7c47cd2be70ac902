//! A long text in segments that are tokenized apart, so that no single word makes one step long.

/// The most bytes that are tokenized in one step. A tokenizer's time and memory grow faster than
/// the longest word it is given; within this many bytes that does not matter.
pub const SEGMENT_BYTES_MAX: usize = 4096;

/// One segment of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment<'a> {
    pub(crate) text: &'a str,
    /// Whether it ends inside what may be one word for the tokenizer.
    pub(crate) forced: bool,
}

/// The segments of a text, in order; together they are the text.
///
/// A cut is made where every tokenizer begins a new word anyway, so that the tokens of the segments
/// are those of the whole: before a space that follows no white space, and between a line's end
/// and a letter. Where there is no such place within the limit, the cut is forced.
pub(crate) fn segments(text: &str) -> impl Iterator<Item = Segment<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (at, forced) = cut(rest);
        let (segment, after) = rest.split_at(at);
        rest = after;
        Some(Segment { text: segment, forced })
    })
}

/// Where the first segment of a text ends, and whether that is forced.
fn cut(text: &str) -> (usize, bool) {
    if text.len() <= SEGMENT_BYTES_MAX {
        return (text.len(), false);
    }
    let most = text.floor_char_boundary(SEGMENT_BYTES_MAX);
    let head = text.get(..most).unwrap_or(text);
    let mut after = text.get(most..).and_then(|tail| tail.chars().next());
    for (start, last) in head.char_indices().rev() {
        if after.is_some_and(|after| begins_a_word(last, after)) {
            return (start + last.len_utf8(), false);
        }
        after = Some(last);
    }
    (most, true)
}

/// Whether a word begins between two characters, whatever stands around them.
fn begins_a_word(before: char, after: char) -> bool {
    match after {
        ' ' => !before.is_whitespace(),
        letter => before == '\n' && letter.is_alphabetic(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lengths(text: &str) -> Vec<(usize, bool)> {
        segments(text).map(|segment| (segment.text.len(), segment.forced)).collect()
    }

    #[test]
    fn a_text_within_the_limit_is_one_segment() {
        assert_eq!(lengths(""), []);
        assert_eq!(lengths("a b"), [(3, false)]);
        assert_eq!(lengths(&"a".repeat(SEGMENT_BYTES_MAX)), [(SEGMENT_BYTES_MAX, false)]);
    }

    #[test]
    fn a_long_text_is_cut_where_a_word_begins_and_a_long_word_by_force() {
        let word = "a".repeat(SEGMENT_BYTES_MAX - 1);
        assert_eq!(lengths(&format!("{word} b")), [(SEGMENT_BYTES_MAX - 1, false), (2, false)]);
        assert_eq!(lengths(&format!("x\n{word}")), [(2, false), (SEGMENT_BYTES_MAX - 1, false)]);
        assert_eq!(lengths(&format!("{word}bc")), [(SEGMENT_BYTES_MAX, true), (1, false)]);
        let spaces = " ".repeat(SEGMENT_BYTES_MAX + 1);
        assert_eq!(lengths(&spaces), [(SEGMENT_BYTES_MAX, true), (1, false)]);
        let wide = "é".repeat(SEGMENT_BYTES_MAX);
        assert_eq!(lengths(&wide), [(SEGMENT_BYTES_MAX, true), (SEGMENT_BYTES_MAX, false)]);
    }

    proptest! {
        #[test]
        fn segments_are_the_text_and_none_is_too_long(
            parts in prop::collection::vec("[a-z]{0,3000}|\\PC{0,60}|[ \n]{0,40}", 0..12),
        ) {
            let text = parts.concat();
            let joined: String = segments(&text).map(|segment| segment.text).collect();
            prop_assert_eq!(joined, text.as_str());
            for segment in segments(&text) {
                prop_assert!(!segment.text.is_empty());
                prop_assert!(segment.text.len() <= SEGMENT_BYTES_MAX);
            }
        }
    }
}
