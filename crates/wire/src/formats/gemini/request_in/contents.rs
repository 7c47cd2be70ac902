//! Reading contents: who speaks, and the parts of what is said.

use std::borrow::Cow;
use std::collections::HashSet;

use bytestring::ByteString;

use crate::conversation::{Arguments, Message, Part, PartBody, Role, Source, ToolCall, ToolResult};
use crate::formats::gemini::fields::{Body, Members, Place, Unmapped, flag, of_kind};
use crate::formats::gemini::media;
use crate::formats::gemini::sealed;
use crate::formats::openai_chat::RequestProblem;
use crate::json::{Kind, Raw};

/// Members of a part that are read; the others are kept with their place.
const PART_MEMBERS: [&str; 8] = [
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "thought",
    "thoughtSignature",
    "mediaResolution",
];

/// Reads contents in their order, which is how calls without ids meet their responses.
pub(super) struct Contents<'a> {
    body: &'a Body,
    unmapped: &'a mut Unmapped,
    calls: Calls,
}

/// The calls made so far.
#[derive(Debug, Default)]
struct Calls {
    ids: HashSet<ByteString>,
    /// Ids and names of the calls that no response has answered yet, in order.
    open: Vec<(ByteString, ByteString)>,
}

impl<'a> Contents<'a> {
    pub(super) fn new(body: &'a Body, unmapped: &'a mut Unmapped) -> Self {
        Self { body, unmapped, calls: Calls::default() }
    }

    /// `systemInstruction`: a content whose role means nothing.
    pub(super) fn system(
        &mut self,
        content: Raw<'_>,
        at: &Place<'_>,
    ) -> Result<Vec<Part>, RequestProblem> {
        let members = Members::read(content, at)?;
        let parts_at = at.field("parts");
        let parts = self.parts(members.find("parts"), Role::System, &parts_at)?;
        match parts.iter().position(|part| !matches!(part.body, PartBody::Text { .. })) {
            Some(index) => Err(parts_at.index(index).out_of_range("a part with `text`")),
            None => Ok(parts),
        }
    }

    /// `contents`. A content without parts, which a model may have said, says nothing.
    pub(super) fn all(
        &mut self,
        contents: Raw<'_>,
        at: &Place<'_>,
    ) -> Result<Vec<Message>, RequestProblem> {
        if contents.kind() != Kind::Array {
            return Err(at.wrong_type("an array of contents", contents));
        }
        let mut messages = Vec::new();
        for (index, content) in contents.elements().enumerate() {
            let message = self.content(content, &at.index(index))?;
            messages.extend(Some(message).filter(|message| !message.parts.is_empty()));
        }
        if messages.is_empty() {
            return Err(at.out_of_range("an array of at least one content with parts"));
        }
        Ok(messages)
    }

    fn content(&mut self, content: Raw<'_>, at: &Place<'_>) -> Result<Message, RequestProblem> {
        let members = Members::read(content, at)?;
        let role_at = at.field("role");
        let role = match self.body.optional_text(members.find("role"), &role_at)?.as_deref() {
            None | Some("user" | "function") => Role::User,
            Some("model") => Role::Assistant,
            Some(_) => return Err(role_at.out_of_range("`user` or `model`")),
        };
        let parts = self.parts(members.find("parts"), role, &at.field("parts"))?;
        Ok(Message { role, parts, name: None })
    }

    fn parts(
        &mut self,
        parts: Option<Raw<'_>>,
        role: Role,
        at: &Place<'_>,
    ) -> Result<Vec<Part>, RequestProblem> {
        let mut read = Vec::new();
        let Some(parts) = parts else { return Ok(read) };
        for (index, part) in of_kind(Some(parts), Kind::Array, at)?.elements().enumerate() {
            self.part(part, role, &at.index(index), &mut read)?;
        }
        Ok(read)
    }

    fn part(
        &mut self,
        part: Raw<'_>,
        role: Role,
        at: &Place<'_>,
        read: &mut Vec<Part>,
    ) -> Result<(), RequestProblem> {
        let members = Members::read(part, at)?;
        for (name, value) in members.others(&PART_MEMBERS) {
            self.unmapped.at(&at.field(name), self.body.raw(value));
        }
        let thought = flag(members.find("thought"), &at.field("thought"))?.unwrap_or(false);
        let seal_at = at.field("thoughtSignature");
        let seal = self.body.optional_text(members.find("thoughtSignature"), &seal_at)?;
        let seal = seal.filter(|seal| !seal.is_empty());
        if let Some(call) = members.find("functionCall") {
            may(role == Role::Assistant, &at.field("functionCall"), "part of a `model` content")?;
            let call = self.call(call, seal, &at.field("functionCall"))?;
            read.push(Part::new(PartBody::ToolCall(call)));
            return Ok(());
        }
        if let Some(text) = self.body.optional_text(members.find("text"), &at.field("text"))? {
            sealed::push_text(read, text, thought, seal);
        } else if let Some(response) = members.find("functionResponse") {
            let at = at.field("functionResponse");
            may(role == Role::User, &at, "part of a `user` content")?;
            let result = self.response(response, &at)?;
            read.push(Part::new(PartBody::ToolResult(result)));
        } else {
            read.extend(self.media(&members, at)?.map(Part::new));
            sealed::push_seal(read, seal);
        }
        Ok(())
    }

    fn call(
        &mut self,
        call: Raw<'_>,
        seal: Option<ByteString>,
        at: &Place<'_>,
    ) -> Result<ToolCall, RequestProblem> {
        let members = Members::read(call, at)?;
        let name = self.body.needed_text(members.find("name"), &at.field("name"))?;
        let given = self.body.optional_text(members.find("id"), &at.field("id"))?;
        let arguments = match members.find("args") {
            Some(args) => self.body.raw(of_kind(Some(args), Kind::Object, &at.field("args"))?),
            None => ByteString::from_static("{}"),
        };
        let id = self.calls.made(given, &name);
        Ok(ToolCall { id, name, arguments: Arguments::Json(arguments), seal })
    }

    fn response(
        &mut self,
        response: Raw<'_>,
        at: &Place<'_>,
    ) -> Result<ToolResult, RequestProblem> {
        let members = Members::read(response, at)?;
        let name = self.body.needed_text(members.find("name"), &at.field("name"))?;
        let given = self.body.optional_text(members.find("id"), &at.field("id"))?;
        let by_id = given.is_some();
        let call = self.calls.answered(given, &name).ok_or_else(|| {
            let (field, what) = if by_id { ("id", "id") } else { ("name", "name") };
            let expected = format!("the {what} of an earlier `functionCall` without a response");
            at.field(field).out_of_range(expected)
        })?;
        let result_at = at.field("response");
        let result = of_kind(members.find("response"), Kind::Object, &result_at)?;
        let (text, failed) = self.result_text(result);
        let mut parts = vec![Part::text(text)];
        let parts_at = at.field("parts");
        if let Some(given) = members.find("parts") {
            for (index, part) in
                of_kind(Some(given), Kind::Array, &parts_at)?.elements().enumerate()
            {
                let at = parts_at.index(index);
                let members = Members::read(part, &at)?;
                parts.extend(self.media(&members, &at)?.map(Part::new));
            }
        }
        Ok(ToolResult { call, parts, failed })
    }

    /// The documented members `output` and `error` hold the result; anything else is the result.
    fn result_text(&self, result: Raw<'_>) -> (ByteString, bool) {
        let mut members = result.members();
        let (Some((name, value)), None) = (members.next(), members.next()) else {
            return (self.body.raw(result), false);
        };
        let whole = || self.body.raw(value);
        match &*name {
            "output" => (self.body.string(value).unwrap_or_else(whole), false),
            "error" => (self.body.string(value).unwrap_or_else(whole), true),
            _ => (self.body.raw(result), false),
        }
    }

    /// Inline or referenced media; nothing for a part of another kind.
    fn media(
        &mut self,
        members: &Members<'_>,
        at: &Place<'_>,
    ) -> Result<Option<PartBody>, RequestProblem> {
        let detail = members.find("mediaResolution").and_then(media::detail);
        if let Some(inline) = members.find("inlineData") {
            let at = at.field("inlineData");
            let inline = Members::read(inline, &at)?;
            let type_at = at.field("mimeType");
            let media_type = self.body.needed_text(inline.find("mimeType"), &type_at)?;
            let data_at = at.field("data");
            let data = self.body.needed_text(inline.find("data"), &data_at)?;
            let data = standard_base64(data)
                .ok_or_else(|| data_at.out_of_range("base64 text that is whole"))?;
            let name =
                self.body.optional_text(inline.find("displayName"), &at.field("displayName"))?;
            let kind = media_type.clone();
            let source = Source::Base64 { media_type, data };
            return Ok(Some(media::part(&kind, source, detail, name)));
        }
        let Some(file) = members.find("fileData") else { return Ok(None) };
        let at = at.field("fileData");
        let file = Members::read(file, &at)?;
        let uri = self.body.needed_text(file.find("fileUri"), &at.field("fileUri"))?;
        let kind = self.body.optional_text(file.find("mimeType"), &at.field("mimeType"))?;
        let kind = kind.unwrap_or_else(|| media::type_of_name(&uri).unwrap_or_default().into());
        let name = self.body.optional_text(file.find("displayName"), &at.field("displayName"))?;
        Ok(Some(media::part(&kind, media::source_of_uri(uri), detail, name)))
    }
}

impl Calls {
    /// Notes a call and gives its id: its own, or one made of its place among the calls, which is
    /// the same in every request that repeats this conversation.
    fn made(&mut self, given: Option<ByteString>, name: &ByteString) -> ByteString {
        let mut number = self.ids.len();
        let id = given.filter(|id| !id.is_empty()).unwrap_or_else(|| {
            loop {
                let id = ByteString::from(format!("call_{number}"));
                if !self.ids.contains(&id) {
                    break id;
                }
                number += 1;
            }
        });
        self.ids.insert(id.clone());
        self.open.push((id.clone(), name.clone()));
        id
    }

    /// The id of the call that a response answers: by id, else the first open call of its name.
    fn answered(&mut self, given: Option<ByteString>, name: &str) -> Option<ByteString> {
        let at = match given.filter(|id| !id.is_empty()) {
            Some(given) => self.open.iter().position(|(id, _)| *id == given)?,
            None => self.open.iter().position(|(_, called)| *called == *name)?,
        };
        Some(self.open.remove(at).0)
    }
}

fn may(allowed: bool, at: &Place<'_>, expected: &str) -> Result<(), RequestProblem> {
    if allowed { Ok(()) } else { Err(at.out_of_range(expected)) }
}

/// Base64 in the alphabet and with the padding that every other format wants; the API takes the
/// URL's alphabet and leaves padding out too. `None` for what was cut off or is no base64.
fn standard_base64(data: ByteString) -> Option<ByteString> {
    let unpadded = data.trim_end_matches('=');
    let padding = data.len() - unpadded.len();
    let odd = |b: u8| !b.is_ascii_alphanumeric() && !matches!(b, b'+' | b'/' | b'-' | b'_');
    let remainder = unpadded.len() % 4;
    let missing = (4 - remainder) % 4;
    if unpadded.is_empty()
        || remainder == 1
        || (padding > 0 && padding != missing)
        || unpadded.bytes().any(odd)
    {
        return None;
    }
    if padding == missing && !unpadded.contains(['-', '_']) {
        return Some(data);
    }
    let mut out: Cow<'_, str> = unpadded.replace('-', "+").replace('_', "/").into();
    out.to_mut().push_str("=".repeat(missing).as_str());
    Some(out.into_owned().into())
}
