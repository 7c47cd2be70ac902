//! Tools of a client of this format that other formats know under another name and kind: what an
//! answer's call of one is for the client.

use std::collections::{HashMap, HashSet};

use bytestring::ByteString;

use crate::json::write::object;
use crate::json::{Object, Raw};

/// Most bytes of a tool's name, which the OpenAI API sets for functions.
const NAME_BYTES_MAX: usize = 64;

/// Between the name of a namespace and that of its tool.
const SEPARATOR: &str = "__";

/// What a free text is called among the arguments of the function that stands in for a custom tool.
pub(super) const INPUT: &str = "input";

/// The tools that go upstream under another name, or as another kind, than the client gave them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientTools {
    by_name: HashMap<ByteString, Called>,
    taken: HashSet<ByteString>,
}

/// What the client calls a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Called {
    pub(super) name: ByteString,
    pub(super) namespace: Option<ByteString>,
    /// Whether its argument is a free text, which comes wrapped as the function's only member.
    pub(super) custom: bool,
}

impl ClientTools {
    /// What the client calls the tool that goes upstream under this name, where that differs.
    pub(super) fn called(&self, upstream: &str) -> Option<&Called> {
        self.by_name.get(upstream)
    }

    /// The name under which a tool goes upstream, if it is one of those that differ.
    pub(super) fn upstream(&self, namespace: Option<&str>, name: &str) -> Option<&ByteString> {
        let same =
            |called: &Called| called.namespace.as_deref() == namespace && *called.name == *name;
        self.by_name.iter().find(|(_, called)| same(called)).map(|(upstream, _)| upstream)
    }

    /// Takes a name that goes upstream as it is. False when a tool has it already.
    pub(super) fn keep(&mut self, name: &ByteString) -> bool {
        self.taken.insert(name.clone())
    }

    /// Takes a tool that goes upstream differently, and gives the name it goes by: the same for the
    /// same tools. `None` when that tool is there already.
    pub(super) fn change(&mut self, called: Called) -> Option<ByteString> {
        if self.upstream(called.namespace.as_deref(), &called.name).is_some() {
            return None;
        }
        let wanted = match &called.namespace {
            Some(namespace) => format!("{namespace}{SEPARATOR}{}", called.name),
            None => called.name.to_string(),
        };
        let mut name = fitted(&wanted);
        let mut number = 1u32;
        while self.taken.contains(&*name) {
            number += 1;
            name = fitted(&format!("{wanted}_{number}"));
        }
        let name = ByteString::from(name);
        self.taken.insert(name.clone());
        self.by_name.insert(name.clone(), called);
        Some(name)
    }
}

/// A name within the limit: a longer one ends in a checksum of the whole.
fn fitted(name: &str) -> String {
    if name.len() <= NAME_BYTES_MAX {
        return name.to_owned();
    }
    let sum = format!("_{:08x}", crc32fast::hash(name.as_bytes()));
    let end = name.floor_char_boundary(NAME_BYTES_MAX - sum.len());
    format!("{}{sum}", &name[..end])
}

/// A custom tool's text as the arguments of the function that stands in for it.
pub(super) fn wrapped(text: &str) -> ByteString {
    let mut out = Vec::with_capacity(text.len() + INPUT.len() + 8);
    object(&mut out, |o| _ = o.string(INPUT, text));
    String::from_utf8(out).expect("every piece is text").into()
}

/// The text in such arguments; arguments of another form, as models break them, are the text.
pub(super) fn unwrapped(arguments: &str) -> String {
    let object = Object::scan(arguments.as_bytes()).ok();
    let input = object.as_ref().and_then(|object| object.value(INPUT)).and_then(Raw::text);
    input.map_or_else(|| arguments.to_owned(), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(namespace: Option<&'static str>, name: &str) -> Called {
        Called { name: name.into(), namespace: namespace.map(Into::into), custom: false }
    }

    #[test]
    fn every_tool_has_a_name_of_its_own_and_finds_back() {
        let mut tools = ClientTools::default();
        assert!(tools.keep(&"a__f".into()));
        assert!(!tools.keep(&"a__f".into()));
        let long = "n".repeat(100);
        let cut = format!("b__{}_", "n".repeat(52));
        for (given, expected, bytes) in [
            (called(Some("a"), "f"), "a__f_2", 6),
            (called(Some("b"), "f"), "b__f", 4),
            (called(Some("b"), &long), &*cut, NAME_BYTES_MAX),
        ] {
            let name = tools.change(given.clone()).expect("a new tool");
            assert!(name.starts_with(expected) && name.len() == bytes, "{name}");
            assert_eq!(tools.called(&name), Some(&given));
            assert_eq!(tools.upstream(given.namespace.as_deref(), &given.name), Some(&name));
            assert_eq!(tools.change(given), None, "it is there already");
        }
    }

    #[test]
    fn a_text_that_was_wrapped_is_the_same_again() {
        for text in ["", "*** Begin Patch\n\"x\"\\", "{\"input\":1}", "\u{1F600}"] {
            assert_eq!(unwrapped(&wrapped(text)), text);
        }
        for broken in ["", "{\"input\":", "{\"input\":7}", "*** Begin Patch"] {
            assert_eq!(unwrapped(broken), broken);
        }
    }
}
