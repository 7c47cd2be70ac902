//! Reading what stands beside the messages: tools, thinking, the form of the answer.

use std::collections::HashSet;

use bytestring::ByteString;

use super::blocks::{Members, cache_hint};
use super::fields::{Body, Place, Unmapped, count, flag, of_kind};
use crate::conversation::{
    Effort, Reasoning, ReasoningMode, ResponseFormat, Tool, ToolChoice, ToolKind,
};
use crate::formats::openai_chat::RequestProblem;
use crate::json::{Kind, Raw};

/// Members of a tool that the hub has a word for.
const TOOL_MEMBERS: [&str; 6] =
    ["type", "name", "description", "input_schema", "strict", "cache_control"];

/// Reads the settings of a request.
pub(super) struct Settings<'a> {
    pub(super) body: &'a Body<'a>,
    pub(super) unmapped: &'a mut Unmapped,
}

impl Settings<'_> {
    /// `tools`.
    pub(super) fn tools(&mut self, tools: Option<Raw<'_>>) -> Result<Vec<Tool>, RequestProblem> {
        let Some(tools) = tools else { return Ok(Vec::new()) };
        let at = Place::top("tools");
        let tools = of_kind(Some(tools), Kind::Array, &at)?;
        let mut names = HashSet::new();
        let mut read = Vec::new();
        for (index, tool) in tools.elements().enumerate() {
            let at = at.index(index);
            let tool = self.tool(tool, &at)?;
            if !names.insert(tool.name.clone()) {
                return Err(at.field("name").out_of_range("a name that no other tool has"));
            }
            read.push(tool);
        }
        Ok(read)
    }

    /// A tool with a schema is the client's; every other kind is the provider's own.
    fn tool(&mut self, tool: Raw<'_>, at: &Place<'_>) -> Result<Tool, RequestProblem> {
        let members = Members::of(of_kind(Some(tool), Kind::Object, at)?);
        let kind = self.body.optional_text(members.find("type"), &at.field("type"))?;
        let name_at = at.field("name");
        if let Some(kind) = kind.filter(|kind| &**kind != "custom") {
            let name = self.body.optional_text(members.find("name"), &name_at)?;
            return Ok(Tool {
                name: name.unwrap_or(kind),
                description: None,
                kind: ToolKind::Hosted { declaration: self.body.raw(tool) },
                strict: None,
                cache: None,
            });
        }
        for (name, value) in members.others(&TOOL_MEMBERS) {
            self.unmapped.at(&at.field(name), self.body.raw(value));
        }
        let schema =
            of_kind(members.find("input_schema"), Kind::Object, &at.field("input_schema"))?;
        Ok(Tool {
            name: self.body.needed_text(members.find("name"), &name_at)?,
            description: self
                .body
                .optional_text(members.find("description"), &at.field("description"))?,
            kind: ToolKind::Function { parameters: Some(self.body.raw(schema)) },
            strict: flag(members.find("strict"), &at.field("strict"))?,
            cache: cache_hint(members.find("cache_control"), &at.field("cache_control"))?,
        })
    }

    /// `tool_choice`, and whether several tools may be called at once.
    pub(super) fn tool_choice(
        &mut self,
        choice: Option<Raw<'_>>,
    ) -> Result<(ToolChoice, Option<bool>), RequestProblem> {
        let Some(choice) = choice else { return Ok((ToolChoice::Unsaid, None)) };
        let at = Place::top("tool_choice");
        let choice = of_kind(Some(choice), Kind::Object, &at)?;
        let kind_at = at.field("type");
        let read = match &*self.body.needed_text(choice.find("type"), &kind_at)? {
            "auto" => ToolChoice::Auto,
            "any" => ToolChoice::Required,
            "none" => ToolChoice::None,
            "tool" => {
                let name = self.body.needed_text(choice.find("name"), &at.field("name"))?;
                ToolChoice::Named(name)
            }
            _ => return Err(kind_at.out_of_range("one of `auto`, `any`, `tool` or `none`")),
        };
        let single = "disable_parallel_tool_use";
        let disabled = flag(choice.find(single), &at.field(single))?;
        Ok((read, disabled.map(|disabled| !disabled)))
    }

    /// `thinking`.
    pub(super) fn thinking(
        &mut self,
        thinking: Option<Raw<'_>>,
    ) -> Result<Reasoning, RequestProblem> {
        let Some(thinking) = thinking else { return Ok(Reasoning::default()) };
        let at = Place::top("thinking");
        let thinking = of_kind(Some(thinking), Kind::Object, &at)?;
        let kind_at = at.field("type");
        let kind = self.body.needed_text(thinking.find("type"), &kind_at)?;
        let mode = match &*kind {
            "disabled" => ReasoningMode::Disabled,
            "adaptive" => ReasoningMode::Adaptive,
            "enabled" => {
                let budget_at = at.field("budget_tokens");
                let budget = count(thinking.find("budget_tokens"), &budget_at)?;
                ReasoningMode::Budget(budget.ok_or_else(|| budget_at.absent("a whole number"))?)
            }
            // Thinking before the first answer is off; what is left of it has no word elsewhere.
            "between_tools" => {
                self.unmapped.at(&kind_at, ByteString::from_static("\"between_tools\""));
                ReasoningMode::Disabled
            }
            _ => {
                let expected = "one of `enabled`, `adaptive`, `between_tools` or `disabled`";
                return Err(kind_at.out_of_range(expected));
            }
        };
        let summary = self.display(thinking.find("display"), &at.field("display"))?;
        let others = Members::of(thinking);
        for (name, value) in others.others(&["type", "budget_tokens", "display"]) {
            self.unmapped.at(&at.field(name), self.body.raw(value));
        }
        Ok(Reasoning { mode: Some(mode), effort: None, summary })
    }

    fn display(
        &mut self,
        display: Option<Raw<'_>>,
        at: &Place<'_>,
    ) -> Result<Option<bool>, RequestProblem> {
        let Some(value) = display else { return Ok(None) };
        match &*self.body.text(value, at)? {
            "summarized" => Ok(Some(true)),
            "omitted" => Ok(Some(false)),
            _ => {
                self.unmapped.at(at, self.body.raw(value));
                Ok(None)
            }
        }
    }

    /// `output_config`: effort and the form of the answer.
    pub(super) fn output_config(
        &mut self,
        config: Option<Raw<'_>>,
    ) -> Result<(Option<Effort>, Option<ResponseFormat>), RequestProblem> {
        let Some(config) = config else { return Ok((None, None)) };
        let at = Place::top("output_config");
        let members = Members::of(of_kind(Some(config), Kind::Object, &at)?);
        let effort_at = at.field("effort");
        let effort = self.body.optional_text(members.find("effort"), &effort_at)?;
        let effort = effort.map(|effort| read_effort(&effort, &effort_at)).transpose()?;
        let format = self.format(members.find("format"), &at.field("format"))?;
        for (name, value) in members.others(&["effort", "format"]) {
            self.unmapped.at(&at.field(name), self.body.raw(value));
        }
        Ok((effort, format))
    }

    /// `{"type": "json_schema", "schema": {…}}`.
    pub(super) fn format(
        &mut self,
        format: Option<Raw<'_>>,
        at: &Place<'_>,
    ) -> Result<Option<ResponseFormat>, RequestProblem> {
        let Some(format) = format else { return Ok(None) };
        let format = of_kind(Some(format), Kind::Object, at)?;
        let kind_at = at.field("type");
        if &*self.body.needed_text(format.find("type"), &kind_at)? != "json_schema" {
            return Err(kind_at.out_of_range("`json_schema`"));
        }
        let schema = of_kind(format.find("schema"), Kind::Object, &at.field("schema"))?;
        let schema = self.body.raw(schema);
        // The provider always enforces it here.
        let (name, description, strict) = (None, None, Some(true));
        Ok(Some(ResponseFormat::JsonSchema { name, description, schema, strict }))
    }

    /// `metadata.user_id`.
    pub(super) fn user(
        &mut self,
        metadata: Option<Raw<'_>>,
    ) -> Result<Option<ByteString>, RequestProblem> {
        let Some(metadata) = metadata else { return Ok(None) };
        let at = Place::top("metadata");
        let members = Members::of(of_kind(Some(metadata), Kind::Object, &at)?);
        for (name, value) in members.others(&["user_id"]) {
            self.unmapped.at(&at.field(name), self.body.raw(value));
        }
        let user = self.body.optional_text(members.find("user_id"), &at.field("user_id"))?;
        Ok(user.filter(|user| !user.is_empty()))
    }
}

fn read_effort(effort: &str, at: &Place<'_>) -> Result<Effort, RequestProblem> {
    match effort {
        "low" => Ok(Effort::Low),
        "medium" => Ok(Effort::Medium),
        "high" => Ok(Effort::High),
        "xhigh" => Ok(Effort::XHigh),
        "max" => Ok(Effort::Max),
        _ => Err(at.out_of_range("one of `low`, `medium`, `high`, `xhigh` or `max`")),
    }
}
