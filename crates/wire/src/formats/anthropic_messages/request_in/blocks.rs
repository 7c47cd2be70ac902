//! Reading the content of messages: a string, or a list of blocks.

use bytestring::ByteString;

use super::fields::{Body, Place, Unmapped, flag, of_kind};
use crate::conversation::{
    Arguments, CacheHint, Citation, Part, PartBody, Provenance, ReasoningBlock, Source, ToolCall,
    ToolResult,
};
use crate::formats::openai_chat::RequestProblem;
use crate::formats::seal::is_ours;
use crate::json::{Kind, Raw};

/// Blocks of tools that the provider ran itself, and of its own housekeeping. Nobody else can use
/// them, so they are told apart from what is unknown.
const PROVIDERS_OWN: [&str; 15] = [
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "tool_reference",
    "container_upload",
    "compaction",
    "mcp_tool_use",
    "mcp_tool_result",
    "fallback",
    "advisor_tool_result",
    "mid_conversation_tool_change",
];

const KNOWN_BLOCKS: &str = "one of `text`, `image`, `document`, `search_result`, `thinking`, \
     `redacted_thinking`, `tool_use` or `tool_result`";

/// Reads the content of messages into parts.
pub(super) struct Blocks<'a> {
    pub(super) body: &'a Body<'a>,
    pub(super) unmapped: &'a mut Unmapped,
}

impl Blocks<'_> {
    /// Content: a string, or a list of blocks.
    pub(super) fn content(
        &mut self,
        content: Option<Raw<'_>>,
        at: &Place<'_>,
    ) -> Result<Vec<Part>, RequestProblem> {
        let expected = "a string or an array of content blocks";
        let content = content.ok_or_else(|| at.absent(expected))?;
        match content.kind() {
            Kind::String => Ok(vec![Part::text(self.body.text(content, at)?)]),
            Kind::Array => {
                let mut parts = Vec::new();
                for (index, block) in content.elements().enumerate() {
                    parts.extend(self.block(block, &at.index(index))?);
                }
                Ok(parts)
            }
            _ => Err(at.wrong_type(expected, content)),
        }
    }

    fn block(&mut self, block: Raw<'_>, at: &Place<'_>) -> Result<Option<Part>, RequestProblem> {
        let block = of_kind(Some(block), Kind::Object, at)?;
        let members = Members::of(block);
        let kind_at = at.field("type");
        let kind = self.body.needed_text(members.find("type"), &kind_at)?;
        let body = match &*kind {
            "text" => self.text(&members, at)?,
            "image" => {
                let source = self.source(members.find("source"), &at.field("source"))?;
                PartBody::Image { source, detail: None }
            }
            "document" => self.document(&members, at)?,
            "search_result" => self.search_result(&members, at)?,
            "thinking" => self.thinking(&members, at)?,
            "redacted_thinking" => {
                let data = self.body.needed_text(members.find("data"), &at.field("data"))?;
                PartBody::Reasoning(redacted(data))
            }
            "tool_use" => self.tool_use(&members, at)?,
            "tool_result" => self.tool_result(&members, at)?,
            own if PROVIDERS_OWN.contains(&own) => {
                self.unmapped.at(at, self.body.raw(block));
                return Ok(None);
            }
            _ => return Err(kind_at.out_of_range(KNOWN_BLOCKS)),
        };
        let cache = cache_hint(members.find("cache_control"), &at.field("cache_control"))?;
        Ok(Some(Part { body, cache }))
    }

    fn text(&mut self, members: &Members<'_>, at: &Place<'_>) -> Result<PartBody, RequestProblem> {
        let text = self.body.needed_text(members.find("text"), &at.field("text"))?;
        let cited = members.find("citations").into_iter().flat_map(Raw::elements);
        Ok(PartBody::Text { text, citations: cited.map(citation).collect() })
    }

    fn document(
        &mut self,
        members: &Members<'_>,
        at: &Place<'_>,
    ) -> Result<PartBody, RequestProblem> {
        let source = self.source(members.find("source"), &at.field("source"))?;
        let name = self.body.optional_text(members.find("title"), &at.field("title"))?;
        for beside in ["context", "citations"] {
            if let Some(value) = members.find(beside) {
                self.unmapped.at(&at.field(beside), self.body.raw(value));
            }
        }
        Ok(PartBody::Document { source, name })
    }

    /// A passage that a search found: a document of plain text.
    fn search_result(
        &mut self,
        members: &Members<'_>,
        at: &Place<'_>,
    ) -> Result<PartBody, RequestProblem> {
        let text = self.joined(members.find("content"), &at.field("content"))?;
        let name = self.body.optional_text(members.find("title"), &at.field("title"))?;
        Ok(PartBody::Document { source: Source::Text(text), name })
    }

    /// A block without a signature is nobody's: it stays plain text of what some model thought.
    fn thinking(
        &mut self,
        members: &Members<'_>,
        at: &Place<'_>,
    ) -> Result<PartBody, RequestProblem> {
        let text = self.body.needed_text(members.find("thinking"), &at.field("thinking"))?;
        let seal = self.body.optional_text(members.find("signature"), &at.field("signature"))?;
        // One of ours that does not check is from another key, or its text was changed: that is
        // nobody's, but no provider's either.
        let checks = |seal: &ByteString| {
            self.body.sealer.is_some_and(|sealer| sealer.check(&text, seal).is_some())
        };
        let (seal, provenance) = match seal.filter(|seal| !seal.is_empty()) {
            Some(seal) if is_ours(&seal) => (Some(seal).filter(checks), Provenance::Plain),
            Some(seal) => (Some(seal), Provenance::AnthropicMessages),
            None => (None, Provenance::Plain),
        };
        Ok(PartBody::Reasoning(ReasoningBlock { text, seal, redacted: false, provenance }))
    }

    fn tool_use(
        &mut self,
        members: &Members<'_>,
        at: &Place<'_>,
    ) -> Result<PartBody, RequestProblem> {
        let id = self.body.needed_text(members.find("id"), &at.field("id"))?;
        let name = self.body.needed_text(members.find("name"), &at.field("name"))?;
        let input = of_kind(members.find("input"), Kind::Object, &at.field("input"))?;
        let arguments = Arguments::Json(self.body.raw(input));
        Ok(PartBody::ToolCall(ToolCall { id, name, arguments, seal: None }))
    }

    fn tool_result(
        &mut self,
        members: &Members<'_>,
        at: &Place<'_>,
    ) -> Result<PartBody, RequestProblem> {
        let call_at = at.field("tool_use_id");
        let call = self.body.needed_text(members.find("tool_use_id"), &call_at)?;
        let failed = flag(members.find("is_error"), &at.field("is_error"))?.unwrap_or(false);
        let content_at = at.field("content");
        let parts = match members.find("content") {
            Some(content) => self.content(Some(content), &content_at)?,
            None => Vec::new(),
        };
        let misplaced = |part: &Part| {
            matches!(
                part.body,
                PartBody::ToolCall(_) | PartBody::ToolResult(_) | PartBody::Reasoning(_)
            )
        };
        if let Some(index) = parts.iter().position(misplaced) {
            let expected = "one of `text`, `image`, `document` or `search_result`";
            return Err(content_at.index(index).field("type").out_of_range(expected));
        }
        Ok(PartBody::ToolResult(ToolResult { call, parts, failed }))
    }

    fn source(
        &mut self,
        source: Option<Raw<'_>>,
        at: &Place<'_>,
    ) -> Result<Source, RequestProblem> {
        let members = Members::of(of_kind(source, Kind::Object, at)?);
        let text = |name| self.body.needed_text(members.find(name), &at.field(name));
        let kind = text("type")?;
        match &*kind {
            "url" => Ok(Source::Url(text("url")?)),
            "file" => Ok(Source::File(text("file_id")?)),
            "text" => Ok(Source::Text(text("data")?)),
            "base64" => {
                let (media_type, data) = (text("media_type")?, text("data")?);
                if !is_base64(&data) {
                    return Err(at.field("data").out_of_range("whole base64 text"));
                }
                Ok(Source::Base64 { media_type, data })
            }
            "content" => {
                self.joined(members.find("content"), &at.field("content")).map(Source::Text)
            }
            _ => Err(at
                .field("type")
                .out_of_range("one of `base64`, `url`, `file`, `text` or `content`")),
        }
    }

    /// The texts of some content in one.
    fn joined(
        &mut self,
        content: Option<Raw<'_>>,
        at: &Place<'_>,
    ) -> Result<ByteString, RequestProblem> {
        let mut texts = Vec::new();
        for (index, part) in self.content(content, at)?.into_iter().enumerate() {
            match part.body {
                PartBody::Text { text, .. } => texts.push(text),
                _ => return Err(at.index(index).field("type").out_of_range("`text`")),
            }
        }
        Ok(match texts.as_slice() {
            [only] => only.clone(),
            several => several.join("\n").into(),
        })
    }
}

/// The members of one block, listed once so that a large value is walked over once. Of duplicates
/// the last counts.
pub(super) struct Members<'a>(Vec<(std::borrow::Cow<'a, str>, Raw<'a>)>);

impl<'a> Members<'a> {
    pub(super) fn of(object: Raw<'a>) -> Self {
        Self(object.members().collect())
    }

    /// The member of this name, unless it is absent or `null`.
    pub(super) fn find(&self, name: &str) -> Option<Raw<'a>> {
        let last = self.0.iter().rev().find(|(member, _)| member == name);
        last.map(|(_, value)| *value).filter(|value| !value.is_null())
    }

    /// The members of other names than these.
    pub(super) fn others(&self, known: &[&str]) -> impl Iterator<Item = (&str, Raw<'a>)> {
        let unknown = self.0.iter().filter(move |(name, _)| !known.contains(&&**name));
        unknown.map(|(name, value)| (&**name, *value))
    }
}

/// Reasoning that only its provider can read.
pub(in super::super) fn redacted(data: ByteString) -> ReasoningBlock {
    let provenance = Provenance::AnthropicMessages;
    ReasoningBlock { text: ByteString::new(), seal: Some(data), redacted: true, provenance }
}

/// A `cache_control`.
pub(super) fn cache_hint(
    value: Option<Raw<'_>>,
    at: &Place<'_>,
) -> Result<Option<CacheHint>, RequestProblem> {
    let Some(value) = value else { return Ok(None) };
    let value = of_kind(Some(value), Kind::Object, at)?;
    let ttl = value.find("ttl").and_then(Raw::text);
    match ttl.as_deref() {
        None | Some("5m") => Ok(Some(CacheHint::Short)),
        Some("1h") => Ok(Some(CacheHint::Hour)),
        Some(_) => Err(at.field("ttl").out_of_range("`5m` or `1h`")),
    }
}

/// A citation as it came, with what other formats can say of it.
pub(in super::super) fn citation(raw: Raw<'_>) -> Citation {
    let text = |name| raw.find(name).and_then(Raw::text).map(|text| ByteString::from(&*text));
    Citation {
        url: text("url"),
        title: text("title").or_else(|| text("document_title")),
        span: None,
        raw: raw.as_written().into(),
    }
}

/// Whether a text can be base64 that was not cut off: whole groups of its alphabet, padded at the
/// end (RFC 4648).
fn is_base64(text: &str) -> bool {
    let bytes = text.as_bytes();
    let unpadded = text.trim_end_matches('=').len();
    let letters = bytes.get(..unpadded).unwrap_or_default();
    !letters.is_empty()
        && bytes.len() - unpadded <= 2
        && bytes.len().is_multiple_of(4)
        && letters.chunks(BASE64_BLOCK_BYTES).all(is_alphabet)
}

/// Whether a block holds nothing but the alphabet, without a branch for each byte: pictures are
/// large.
fn is_alphabet(block: &[u8]) -> bool {
    let letter = |b: &u8| b.is_ascii_alphanumeric() | (*b == b'+') | (*b == b'/');
    block.iter().fold(true, |all, byte| all & letter(byte))
}

/// Bytes of base64 that are looked at together.
const BASE64_BLOCK_BYTES: usize = 64;
