//! Parser events to a tree, with every duplicate, unknown alias and over-large part reported.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle, Span as ParsedSpan, Tag};

use super::{Entry, Mapping, Node, Span, Value, scalar};
use crate::diagnostic::{Finding, code};

/// Reads one document. The node is there only when the text could be read to its end; the findings
/// are there in any case.
pub(crate) fn read(text: &str) -> (Option<Node>, Vec<Finding>) {
    let mut builder = Builder::default();
    let options = granit_parser::options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((event, span)) => {
                if builder.event(event, within(&span, text)).is_err() {
                    return (None, builder.findings);
                }
            }
            Err(problem) => {
                let at = problem.marker().byte_offset().unwrap_or(text.len());
                builder.findings.push(syntax(at, &problem.info()));
                return (None, builder.findings);
            }
        }
    }
    (builder.root, builder.findings)
}

fn syntax(at: usize, message: &str) -> Finding {
    let finding =
        Finding::error(code::YAML_SYNTAX, at..at, format!("not readable as YAML: {message}"));
    finding.with_help("nothing after this place was read; indent with spaces, never with tabs")
}

/// The parser's span as a range of bytes that lies within the text.
fn within(span: &ParsedSpan, text: &str) -> Span {
    let range = span.byte_range().unwrap_or(text.len()..text.len());
    let start = range.start.min(text.len());
    start..range.end.clamp(start, text.len())
}

/// The file is too large or too deep: building the tree has stopped.
struct Stopped;

/// A collection whose end has not come yet.
struct Open {
    start: Span,
    anchor: usize,
    /// The deepest nesting below this collection so far.
    depth: usize,
    /// How many nodes the tree had when the collection began.
    nodes_before: usize,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Node>),
    Map(OpenMap),
}

#[derive(Default)]
struct OpenMap {
    mapping: Mapping,
    seen: BTreeMap<Box<str>, Span>,
    merged: Vec<Node>,
    /// The key whose value comes next.
    key: Option<Key>,
}

struct Key {
    name: Box<str>,
    span: Span,
    /// Unquoted, so that `<<` is the merge key.
    plain: bool,
}

/// A finished anchored node with what it costs to use it again.
struct Anchored {
    node: Node,
    depth: usize,
    nodes: usize,
}

#[derive(Default)]
struct Builder {
    root: Option<Node>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Anchored>,
    nodes: usize,
    documents: usize,
    findings: Vec<Finding>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Stopped> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_custom(tag.as_deref(), &span);
                let is_text = tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
                let plain = matches!(style, ScalarStyle::Plain) && !is_text;
                self.scalar(&text, plain, anchor, span)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_custom(tag.as_deref(), &span);
                self.collection(OpenKind::List(Vec::new()), anchor, span);
                Ok(())
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_custom(tag.as_deref(), &span);
                self.collection(OpenKind::Map(OpenMap::default()), anchor, span);
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::UnresolvedAlias(name) => {
                self.error(
                    code::YAML_ALIAS,
                    &span,
                    format!("no anchor `&{name}` stands before this"),
                );
                self.attach(Node { span, value: Value::Null }, 0)
            }
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents == 2 {
                    let message = "a second document starts here; only the first would be used";
                    self.error(code::YAML_DOCUMENTS, &span, message.to_owned());
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        plain: bool,
        anchor: usize,
        span: Span,
    ) -> Result<(), Stopped> {
        if self.expects_key() {
            self.key(Key { name: text.into(), span, plain });
            return Ok(());
        }
        let value = if plain { scalar::plain(text) } else { Value::Text(text.into()) };
        let node = Node { span, value };
        self.remember(anchor, &node, 0, 1);
        self.attach(node, 0)
    }

    fn collection(&mut self, kind: OpenKind, anchor: usize, span: Span) {
        let nodes_before = self.nodes;
        self.open.push(Open { start: span, anchor, depth: 0, nodes_before, kind });
    }

    fn close(&mut self, end: Span) -> Result<(), Stopped> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let value = match open.kind {
            OpenKind::List(items) => Value::List(items),
            OpenKind::Map(map) => Value::Map(self.merge(map)),
        };
        let span = open.start.start..end.end.max(open.start.end);
        let node = Node { span, value };
        let depth = open.depth + 1;
        self.remember(open.anchor, &node, depth, self.nodes - open.nodes_before + 1);
        self.attach(node, depth)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Stopped> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            self.error(code::YAML_ALIAS, &span, "an alias inside its own anchor".to_owned());
            return self.attach(Node { span, value: Value::Null }, 0);
        };
        let (depth, nodes) = (anchored.depth, anchored.nodes);
        if self.nodes.saturating_add(nodes) > NODES_MAX {
            return self
                .stop(&span, format!("aliases make the file larger than {NODES_MAX} values"));
        }
        let node = anchored.node.clone();
        self.nodes += nodes - 1;
        self.attach(node, depth)
    }

    /// Puts a finished node where it belongs.
    fn attach(&mut self, node: Node, depth: usize) -> Result<(), Stopped> {
        self.nodes += 1;
        if self.open.len() + depth > DEPTH_MAX {
            return self.stop(&node.span, format!("nested more than {DEPTH_MAX} levels deep"));
        }
        if self.nodes > NODES_MAX {
            return self.stop(&node.span, format!("the file has more than {NODES_MAX} values"));
        }
        if self.expects_key() {
            self.error(code::YAML_KEY, &node.span, format!("a key is {}", node.value.described()));
            self.key(Key { name: Box::default(), span: node.span, plain: false });
            return Ok(());
        }
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return Ok(());
        };
        open.depth = open.depth.max(depth);
        match &mut open.kind {
            OpenKind::List(items) => items.push(node),
            OpenKind::Map(map) => self.findings.extend(map.put(node)),
        }
        Ok(())
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { kind: OpenKind::Map(map), .. }) if map.key.is_none())
    }

    fn key(&mut self, key: Key) {
        if let Some(Open { kind: OpenKind::Map(map), .. }) = self.open.last_mut() {
            map.key = Some(key);
        }
    }

    fn remember(&mut self, anchor: usize, node: &Node, depth: usize, nodes: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, Anchored { node: node.clone(), depth, nodes });
        }
    }

    /// Adds what `<<` brings in: a name written in the mapping itself wins, then the earlier
    /// source.
    fn merge(&mut self, mut map: OpenMap) -> Mapping {
        for source in std::mem::take(&mut map.merged) {
            let (span, sources) = match source.value {
                Value::List(items) => (source.span, items),
                _ => (source.span.clone(), vec![source]),
            };
            for node in sources {
                let Value::Map(more) = node.value else {
                    let message = format!("`<<` merges mappings, not {}", node.value.described());
                    self.error(code::WRONG_TYPE, &span, message);
                    continue;
                };
                for entry in more.entries {
                    if !map.seen.contains_key(&entry.name) {
                        map.seen.insert(entry.name.clone(), entry.name_span.clone());
                        map.mapping.entries.push(entry);
                    }
                }
            }
        }
        map.mapping
    }

    fn refuse_custom(&mut self, tag: Option<&Tag>, span: &Span) {
        if let Some(tag) = tag.filter(|tag| tag.is_custom()) {
            self.error(code::YAML_TAG, span, format!("the tag `{tag}` has no meaning here"));
        }
    }

    fn error(&mut self, code: &'static str, span: &Span, message: String) {
        self.findings.push(Finding::error(code, span.clone(), message));
    }

    fn stop(&mut self, span: &Span, message: String) -> Result<(), Stopped> {
        self.error(code::YAML_LIMIT, span, message);
        Err(Stopped)
    }
}

impl OpenMap {
    /// Takes the value of the pending key; a key that is there already is a finding.
    fn put(&mut self, node: Node) -> Option<Finding> {
        let key = self.key.take()?;
        if key.plain && &*key.name == "<<" {
            self.merged.push(node);
            return None;
        }
        if let Some(first) = self.seen.get(&key.name) {
            let message = format!("`{}` is given twice in one mapping", key.name);
            let finding = Finding::error(code::DUPLICATE_KEY, key.span, message);
            return Some(finding.with_first(first.clone()));
        }
        self.seen.insert(key.name.clone(), key.span.clone());
        self.mapping.entries.push(Entry { name: key.name, name_span: key.span, node });
        None
    }
}

/// Most values in one file, those that aliases repeat included.
const NODES_MAX: usize = 1_000_000;
/// Deepest nesting. LiteLLM resolves variables down to the same depth.
const DEPTH_MAX: usize = 100;
