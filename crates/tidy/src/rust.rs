//! Rust source as a flat row of tokens, each with its line and whether only tests run it.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// What a token is. Comments and attributes, with the documentation in them, are left out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A name or a keyword.
    Ident(String),
    /// The characters of a string literal as they are written, without its quotes.
    Text(String),
    /// One character of punctuation, or an opening bracket.
    Punct(char),
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its first line, from 1.
    pub line: usize,
    /// Its last line.
    pub last_line: usize,
    /// Whether it stands in an item marked `#[test]` or `#[cfg(test)]`.
    pub in_test: bool,
}

/// A function with a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of `fn`, from 1.
    pub line: usize,
    /// The lines from `fn` to the closing brace.
    pub lines: usize,
}

/// A file of Rust, read.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// Its tokens.
    pub tokens: Vec<Token>,
    /// Its functions, outer ones before those inside them.
    pub functions: Vec<Function>,
}

impl Source {
    /// Reads a file's text; `None` when it is not Rust.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let stream = TokenStream::from_str(text).ok()?;
        let mut source = Self::default();
        source.walk(stream, false);
        Some(source)
    }

    fn walk(&mut self, stream: TokenStream, in_test: bool) {
        let trees: Vec<TokenTree> = stream.into_iter().collect();
        let mut marked = false; // an attribute says that the item which follows is a test
        let mut rest = trees.as_slice();
        while let [first, tail @ ..] = rest {
            rest = tail;
            if let Some((attribute, after)) = attribute(first, tail) {
                marked |= marks_test(attribute);
                rest = after;
                continue;
            }
            if let Some(function) = function(first, tail) {
                self.functions.push(function);
            }
            self.push(first, in_test || marked);
            if ends_item(first) {
                marked = false;
            }
        }
    }

    fn push(&mut self, tree: &TokenTree, in_test: bool) {
        let (line, last_line) = (tree.span().start().line, tree.span().end().line);
        let kind = match tree {
            TokenTree::Ident(ident) => Kind::Ident(ident.to_string()),
            TokenTree::Punct(punct) => Kind::Punct(punct.as_char()),
            TokenTree::Literal(literal) => match string_content(&literal.to_string()) {
                Some(text) => Kind::Text(text),
                None => return,
            },
            TokenTree::Group(group) => {
                if let Some(bracket) = opening(group) {
                    let kind = Kind::Punct(bracket);
                    self.tokens.push(Token { kind, line, last_line: line, in_test });
                }
                return self.walk(group.stream(), in_test);
            }
        };
        self.tokens.push(Token { kind, line, last_line, in_test });
    }
}

/// The brackets' content when an attribute starts here, and what follows it.
fn attribute<'a>(first: &TokenTree, tail: &'a [TokenTree]) -> Option<(&'a Group, &'a [TokenTree])> {
    if !is_punct(first, '#') {
        return None;
    }
    match tail {
        [TokenTree::Group(group), after @ ..] => Some((group, after)),
        [bang, TokenTree::Group(group), after @ ..] if is_punct(bang, '!') => Some((group, after)),
        _ => None,
    }
}

fn marks_test(attribute: &Group) -> bool {
    let text: String =
        attribute.stream().to_string().chars().filter(|c| !c.is_whitespace()).collect();
    let path = text.split('(').next().unwrap_or_default();
    path.rsplit("::").next() == Some("test")
        || text.starts_with("cfg(test")
        || text.starts_with("cfg(all(test")
}

fn ends_item(tree: &TokenTree) -> bool {
    match tree {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        other => is_punct(other, ';'),
    }
}

/// The function that starts here, if one with a body does.
fn function(first: &TokenTree, tail: &[TokenTree]) -> Option<Function> {
    let (TokenTree::Ident(keyword), [TokenTree::Ident(name), rest @ ..]) = (first, tail) else {
        return None;
    };
    if keyword != "fn" {
        return None;
    }
    let end = rest.iter().find(|tree| ends_item(tree))?;
    let TokenTree::Group(body) = end else { return None };
    let line = keyword.span().start().line;
    let last = body.span_close().end().line;
    Some(Function { name: name.to_string(), line, lines: last.saturating_sub(line) + 1 })
}

fn is_punct(tree: &TokenTree, wanted: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

fn opening(group: &Group) -> Option<char> {
    match group.delimiter() {
        Delimiter::Parenthesis => Some('('),
        Delimiter::Brace => Some('{'),
        Delimiter::Bracket => Some('['),
        Delimiter::None => None,
    }
}

/// What stands between the quotes of a string literal of any kind; `None` for other literals.
fn string_content(literal: &str) -> Option<String> {
    let unprefixed = literal.trim_start_matches(['b', 'c', 'r']).trim_matches('#');
    let inner = unprefixed.strip_prefix('"')?.strip_suffix('"')?;
    Some(inner.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<(String, bool)> {
        let source = Source::read(source).expect("Rust");
        let tokens = source.tokens.into_iter();
        tokens
            .filter_map(|token| match token.kind {
                Kind::Text(text) => Some((text, token.in_test)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn strings_of_every_kind_are_seen_and_comments_are_not() {
        let source = r##"
            //! "module"
            /// "doc"
            #[doc = "attribute"]
            fn f() { g("a", r#"b "c""#, b"d", 'e', '"', 1, /* "f" */ "//h"); }
        "##;
        let expected = ["a", r#"b "c""#, "d", "//h"].map(|text| (text.to_owned(), false));
        assert_eq!(texts(source), expected);
    }

    #[test]
    fn only_items_marked_as_tests_are_tests() {
        let source = r#"
            const A: &str = "shipped";
            #[cfg(test)] use x::y;
            fn b() { "shipped"; }
            #[cfg(not(test))] fn c() { "shipped"; }
            #[cfg(test)] mod tests { const D: &str = "test"; fn e() { "test"; } }
            #[tokio::test(flavor = "x")] async fn f() -> [u8; 2] { "test"; }
            fn g() { "shipped"; }
        "#;
        assert_eq!(texts(source).len(), 7);
        for (text, in_test) in texts(source) {
            assert_eq!(in_test, text == "test", "{text}");
        }
    }

    #[test]
    fn a_function_is_measured_from_its_keyword_to_its_brace() {
        let source = "trait T {\n fn none(&self);\n \
            fn some<const N: usize>(\n x: fn(u8) -> u8,\n ) {\n }\n}";
        let functions = Source::read(source).expect("Rust").functions;
        assert_eq!(functions, [Function { name: "some".to_owned(), line: 3, lines: 4 }]);
    }
}
