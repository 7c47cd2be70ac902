//! Reading what stands beside the contents: tools, and how the answer is generated.

use std::collections::HashSet;

use bytestring::ByteString;

use crate::conversation::{
    Effort, Reasoning, ReasoningMode, ResponseFormat, Sampling, Tool, ToolChoice, ToolKind,
};
use crate::formats::gemini::fields::{Body, Members, Place, Unmapped, count, flag, of_kind};
use crate::formats::gemini::schema;
use crate::formats::openai_chat::RequestProblem;
use crate::json::{Kind, Raw};

/// Members of `generationConfig` that the hub has a word for.
const GENERATION_MEMBERS: [&str; 13] = [
    "temperature",
    "topP",
    "topK",
    "candidateCount",
    "maxOutputTokens",
    "stopSequences",
    "seed",
    "presencePenalty",
    "frequencyPenalty",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "thinkingConfig",
];

/// Members of a function declaration that the hub has a word for.
const DECLARATION_MEMBERS: [&str; 4] =
    ["name", "description", "parameters", "parametersJsonSchema"];

/// Most candidates that one call may ask for (Gemini API reference, `GenerationConfig`).
const CANDIDATES_MAX: u64 = 8;

/// Reads the settings of a request.
pub(super) struct Settings<'a> {
    pub(super) body: &'a Body,
    pub(super) unmapped: &'a mut Unmapped,
}

/// What `generationConfig` says.
pub(super) struct Generation {
    pub(super) response_format: ResponseFormat,
    pub(super) sampling: Sampling,
    pub(super) reasoning: Reasoning,
    pub(super) output_tokens_max: Option<u64>,
    pub(super) choices: u64,
}

impl Settings<'_> {
    /// `tools`: functions, and tools that the provider runs, each of which becomes one of the
    /// hub's.
    pub(super) fn tools(&mut self, tools: Option<Raw<'_>>) -> Result<Vec<Tool>, RequestProblem> {
        let Some(tools) = tools else { return Ok(Vec::new()) };
        let at = Place::top("tools");
        let mut read = Vec::new();
        let mut names = HashSet::new();
        for (index, tool) in of_kind(Some(tools), Kind::Array, &at)?.elements().enumerate() {
            let at = at.index(index);
            let members = Members::read(tool, &at)?;
            let functions = "functionDeclarations";
            if let Some(declared) = members.find(functions) {
                let at = at.field(functions);
                let declared = of_kind(Some(declared), Kind::Array, &at)?;
                for (index, declaration) in declared.elements().enumerate() {
                    let at = at.index(index);
                    let tool = self.function(declaration, &at)?;
                    if !names.insert(tool.name.clone()) {
                        let expected = "a name that no other function has";
                        return Err(at.field("name").out_of_range(expected));
                    }
                    read.push(tool);
                }
            }
            read.extend(members.others(&[functions]).map(|(name, value)| hosted(name, value)));
        }
        Ok(read)
    }

    fn function(&mut self, declaration: Raw<'_>, at: &Place<'_>) -> Result<Tool, RequestProblem> {
        let members = Members::read(declaration, at)?;
        for (name, value) in members.others(&DECLARATION_MEMBERS) {
            self.unmapped.at(&at.field(name), self.body.raw(value));
        }
        let parameters = self.schema(&members, ["parametersJsonSchema", "parameters"], at)?;
        Ok(Tool {
            name: self.body.needed_text(members.find("name"), &at.field("name"))?,
            description: self
                .body
                .optional_text(members.find("description"), &at.field("description"))?,
            kind: ToolKind::Function { parameters },
            strict: None,
            cache: None,
        })
    }

    /// A schema by the first of two names as JSON Schema, by the second as the subset of OpenAPI.
    fn schema(
        &self,
        members: &Members<'_>,
        [json_schema, open_api]: [&str; 2],
        at: &Place<'_>,
    ) -> Result<Option<ByteString>, RequestProblem> {
        if let Some(schema) = members.find(json_schema) {
            let schema = of_kind(Some(schema), Kind::Object, &at.field(json_schema))?;
            return Ok(Some(self.body.raw(schema)));
        }
        let Some(schema) = members.find(open_api) else { return Ok(None) };
        let schema = of_kind(Some(schema), Kind::Object, &at.field(open_api))?;
        Ok(Some(schema::from_open_api(schema)))
    }

    /// `toolConfig`.
    pub(super) fn tool_config(
        &mut self,
        config: Option<Raw<'_>>,
    ) -> Result<ToolChoice, RequestProblem> {
        let Some(config) = config else { return Ok(ToolChoice::Unsaid) };
        let at = Place::top("toolConfig");
        let members = Members::read(config, &at)?;
        let calling = "functionCallingConfig";
        self.keep(&members, &[calling], &at);
        let Some(config) = members.find(calling) else { return Ok(ToolChoice::Unsaid) };
        let at = at.field(calling);
        let members = Members::read(config, &at)?;
        self.keep(&members, &["mode", "allowedFunctionNames"], &at);
        let names_at = at.field("allowedFunctionNames");
        let names = self.body.texts(members.find("allowedFunctionNames"), &names_at)?;
        let mode_at = at.field("mode");
        let mode = self.body.optional_text(members.find("mode"), &mode_at)?;
        match (mode.as_deref().unwrap_or("MODE_UNSPECIFIED"), names.as_slice()) {
            ("MODE_UNSPECIFIED", _) => Ok(ToolChoice::Unsaid),
            ("AUTO" | "VALIDATED", []) => Ok(ToolChoice::Auto),
            ("AUTO" | "VALIDATED", _) => Ok(ToolChoice::Among { names, required: false }),
            ("NONE", _) => Ok(ToolChoice::None),
            ("ANY", []) => Ok(ToolChoice::Required),
            ("ANY", [only]) => Ok(ToolChoice::Named(only.clone())),
            ("ANY", _) => Ok(ToolChoice::Among { names, required: true }),
            _ => Err(mode_at.out_of_range("one of `AUTO`, `ANY`, `NONE` or `VALIDATED`")),
        }
    }

    /// `generationConfig`.
    pub(super) fn generation(
        &mut self,
        config: Option<Raw<'_>>,
    ) -> Result<Generation, RequestProblem> {
        let at = Place::top("generationConfig");
        let members = match config {
            Some(config) => Members::read(config, &at)?,
            None => Members::none(),
        };
        self.keep(&members, &GENERATION_MEMBERS, &at);
        let choices_at = at.field("candidateCount");
        let choices = count(members.find("candidateCount"), &choices_at)?.unwrap_or(1);
        if choices > CANDIDATES_MAX {
            return Err(choices_at.out_of_range(format!("1 to {CANDIDATES_MAX}")));
        }
        let limit_at = at.field("maxOutputTokens");
        Ok(Generation {
            response_format: self.response_format(&members, &at)?,
            sampling: self.sampling(&members, &at)?,
            reasoning: self
                .thinking(members.find("thinkingConfig"), &at.field("thinkingConfig"))?,
            output_tokens_max: count(members.find("maxOutputTokens"), &limit_at)?,
            choices,
        })
    }

    fn sampling(&self, members: &Members<'_>, at: &Place<'_>) -> Result<Sampling, RequestProblem> {
        let number = |name| self.body.number(members.find(name), &at.field(name));
        Ok(Sampling {
            temperature: number("temperature")?,
            top_p: number("topP")?,
            top_k: number("topK")?,
            presence_penalty: number("presencePenalty")?,
            frequency_penalty: number("frequencyPenalty")?,
            seed: number("seed")?,
            stop: self.body.texts(members.find("stopSequences"), &at.field("stopSequences"))?,
        })
    }

    /// Only JSON is a form of the answer elsewhere; other media types stay this format's own.
    fn response_format(
        &mut self,
        members: &Members<'_>,
        at: &Place<'_>,
    ) -> Result<ResponseFormat, RequestProblem> {
        let type_at = at.field("responseMimeType");
        let media_type = self.body.optional_text(members.find("responseMimeType"), &type_at)?;
        let names = ["responseJsonSchema", "responseSchema"];
        if media_type.as_deref() != Some("application/json") {
            let plain = media_type.is_none_or(|media_type| &*media_type == "text/plain");
            let kept = if plain { &names[..] } else { &["responseMimeType", names[0], names[1]] };
            for name in kept {
                if let Some(value) = members.find(name) {
                    self.unmapped.at(&at.field(name), self.body.raw(value));
                }
            }
            return Ok(ResponseFormat::Text);
        }
        Ok(match self.schema(members, names, at)? {
            None => ResponseFormat::JsonObject,
            // The API always enforces a schema.
            Some(schema) => ResponseFormat::JsonSchema {
                name: None,
                description: None,
                schema,
                strict: Some(true),
            },
        })
    }

    fn thinking(
        &mut self,
        config: Option<Raw<'_>>,
        at: &Place<'_>,
    ) -> Result<Reasoning, RequestProblem> {
        let Some(config) = config else { return Ok(Reasoning::default()) };
        let members = Members::read(config, at)?;
        self.keep(&members, &["includeThoughts", "thinkingBudget", "thinkingLevel"], at);
        let budget_at = at.field("thinkingBudget");
        let mode = members.find("thinkingBudget").map(|budget| read_budget(budget, &budget_at));
        let level_at = at.field("thinkingLevel");
        let level = self.body.optional_text(members.find("thinkingLevel"), &level_at)?;
        let summary = flag(members.find("includeThoughts"), &at.field("includeThoughts"))?;
        Ok(Reasoning {
            mode: mode.transpose()?,
            effort: level.map(|level| read_level(&level, &level_at)).transpose()?.flatten(),
            summary,
        })
    }

    /// Keeps the members of other names than these.
    fn keep(&mut self, members: &Members<'_>, known: &[&str], at: &Place<'_>) {
        for (name, value) in members.others(known) {
            self.unmapped.at(&at.field(name), self.body.raw(value));
        }
    }
}

/// A tool that the provider runs, under the name of its member.
fn hosted(name: &str, value: Raw<'_>) -> Tool {
    let declaration = format!("{{\"{name}\":{}}}", value.as_written());
    Tool {
        name: name.into(),
        description: None,
        kind: ToolKind::Hosted { declaration: declaration.into() },
        strict: None,
        cache: None,
    }
}

/// `-1` leaves it to the model, `0` switches thinking off.
fn read_budget(budget: Raw<'_>, at: &Place<'_>) -> Result<ReasoningMode, RequestProblem> {
    if budget.kind() != Kind::Number {
        return Err(at.wrong_type("a whole number", budget));
    }
    match budget.whole() {
        Some(0) => Ok(ReasoningMode::Disabled),
        Some(tokens) => Ok(ReasoningMode::Budget(tokens)),
        None if budget.as_written() == "-1" => Ok(ReasoningMode::Adaptive),
        None => Err(at.out_of_range("-1, 0 or a positive whole number")),
    }
}

fn read_level(level: &str, at: &Place<'_>) -> Result<Option<Effort>, RequestProblem> {
    match level.to_ascii_lowercase().as_str() {
        "thinking_level_unspecified" => Ok(None),
        "minimal" => Ok(Some(Effort::Minimal)),
        "low" => Ok(Some(Effort::Low)),
        "medium" => Ok(Some(Effort::Medium)),
        "high" => Ok(Some(Effort::High)),
        "xhigh" => Ok(Some(Effort::XHigh)),
        _ => Err(at.out_of_range("one of `MINIMAL`, `LOW`, `MEDIUM` or `HIGH`")),
    }
}
