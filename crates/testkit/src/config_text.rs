//! Configuration text in LiteLLM's format, put together from the parts that a test cares about.

use std::fmt::Write as _;

use tollgate_simulator::Simulator;

/// A configuration under construction.
#[derive(Debug, Clone, Default)]
pub struct ConfigText {
    model_list: String,
    sections: Vec<(String, String)>,
}

/// One deployment of a model group.
#[derive(Debug, Clone)]
pub struct DeploymentText {
    lines: Vec<String>,
}

impl DeploymentText {
    /// A deployment at an OpenAI-compatible server, which calls it by `model`.
    #[must_use]
    pub fn at(base_url: &str, model: &str) -> Self {
        Self::of(base_url, &format!("openai_like/{model}"))
    }

    /// A deployment of `provider/model` at this base URL.
    #[must_use]
    pub fn of(base_url: &str, model: &str) -> Self {
        let lines = vec![
            format!("model: {model}"),
            format!("api_base: {base_url}"),
            format!("api_key: {UPSTREAM_KEY}"),
        ];
        Self { lines }
    }

    /// A deployment of `provider/model` of which nothing more is said.
    #[must_use]
    pub fn named(model: &str) -> Self {
        Self { lines: vec![format!("model: {model}")] }
    }

    /// The same with prices in US dollars per token.
    #[must_use]
    pub fn priced(self, input: &str, output: &str) -> Self {
        self.with(&format!("input_cost_per_token: {input}"))
            .with(&format!("output_cost_per_token: {output}"))
    }

    /// The same without the lines of one of `litellm_params`.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.lines.retain(|line| line.split(':').next() != Some(name));
        self
    }

    /// The same with one more line of `litellm_params`.
    #[must_use]
    pub fn with(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }
}

impl ConfigText {
    /// No model group and no settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A configuration with one group that the simulator serves, at [`INPUT_PRICE`] and
    /// [`OUTPUT_PRICE`].
    #[must_use]
    pub fn simulated(group: &str, simulator: &Simulator) -> Self {
        Self::new().group(group, &Self::deployment(simulator))
    }

    /// A deployment that the simulator serves, at [`INPUT_PRICE`] and [`OUTPUT_PRICE`].
    #[must_use]
    pub fn deployment(simulator: &Simulator) -> DeploymentText {
        DeploymentText::at(&simulator.base_url(), "simulated").priced(INPUT_PRICE, OUTPUT_PRICE)
    }

    /// The same with one more deployment in this group.
    #[must_use]
    pub fn group(mut self, name: &str, deployment: &DeploymentText) -> Self {
        let _ = writeln!(self.model_list, "  - model_name: {name}\n    litellm_params:");
        for line in &deployment.lines {
            let _ = writeln!(self.model_list, "      {line}");
        }
        self
    }

    /// The same with one more deployment in this group, which is in these access groups.
    #[must_use]
    pub fn grouped(self, name: &str, deployment: &DeploymentText, access: &[&str]) -> Self {
        let mut config = self.group(name, deployment);
        let groups = access.join(", ");
        let _ = writeln!(config.model_list, "    model_info: {{access_groups: [{groups}]}}");
        config
    }

    /// The same with a line in a section such as `general_settings`.
    #[must_use]
    pub fn setting(mut self, section: &str, line: &str) -> Self {
        self.sections.push((section.to_owned(), line.to_owned()));
        self
    }

    /// The text. A failed attempt is not made again unless a line says `num_retries`, so that
    /// tests count attempts.
    #[must_use]
    pub fn build(&self) -> String {
        let mut text = format!("model_list:\n{}", self.model_list);
        let mut sections = self.sections.clone();
        if !sections.iter().any(|(_, line)| line.contains("num_retries")) {
            sections.push(("litellm_settings".to_owned(), "num_retries: 0".to_owned()));
        }
        let mut names: Vec<&str> = sections.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let _ = writeln!(text, "{name}:");
            for (_, line) in sections.iter().filter(|(section, _)| section == name) {
                let _ = writeln!(text, "  {line}");
            }
        }
        text
    }
}

/// The credential that deployments send.
pub const UPSTREAM_KEY: &str = "sk-upstream";
/// The price of an input token in US dollars: a micro-dollar.
pub const INPUT_PRICE: &str = "0.000001";
/// The price of an output token in US dollars: two micro-dollars.
pub const OUTPUT_PRICE: &str = "0.000002";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_come_out_in_their_places() {
        let deployment = DeploymentText::at("http://127.0.0.1:1/v1", "m").with("timeout: 1");
        let text = ConfigText::new()
            .setting("router_settings", "num_retries: 0")
            .group("a", &deployment)
            .setting("general_settings", "max_request_size_mb: 1")
            .setting("router_settings", "timeout: 2")
            .build();
        assert_eq!(
            text,
            "model_list:
  - model_name: a
    litellm_params:
      model: openai_like/m
      api_base: http://127.0.0.1:1/v1
      api_key: sk-upstream
      timeout: 1
general_settings:
  max_request_size_mb: 1
router_settings:
  num_retries: 0
  timeout: 2
"
        );
    }
}
