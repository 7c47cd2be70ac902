// Makes calls with the unmodified Vercel AI SDK: the task and what is printed are those of
// ../python/dialect.py. The SDK itself runs the tools and makes the second turn.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";

globalThis.AI_SDK_LOG_WARNINGS = false;
const task = JSON.parse(process.argv[2]);
const baseURL = `${process.env.BASE_URL}/v1`;
const apiKey = process.env.API_KEY;
const openai = createOpenAI({ baseURL, apiKey });
const anthropic = createAnthropic({ baseURL, apiKey });
const unstored = { openai: { store: false } };
const clients = {
  responses: (name) => openai(name),
  chat: (name) => openai.chat(name),
  messages: (name) => anthropic(name),
};

const tools = Object.fromEntries(
  task.tools.map(({ name, description, parameters, result }) => [
    name,
    tool({
      description,
      inputSchema: jsonSchema(parameters),
      strict: false,
      execute: async () => result,
    }),
  ]),
);

const settings = (model, prompt) => ({
  model,
  prompt,
  system: task.system,
  maxOutputTokens: task.max_tokens,
  maxRetries: 0,
  providerOptions: unstored,
});

async function whole(body) {
  const { text, usage, steps } = await generateText(body);
  return { text, usage, steps };
}

async function streamed(body) {
  const failures = [];
  const result = streamText({ ...body, onError: ({ error }) => failures.push(error) });
  let text = "";
  for await (const piece of result.textStream) text += piece;
  if (failures.length > 0) throw failures[0];
  return { text, usage: await result.usage, steps: await result.steps };
}

async function answered(model, ask) {
  const { text, usage } = await ask(settings(model, task.question));
  return { text, input: usage.inputTokens, output: usage.outputTokens };
}

async function withTools(model, ask) {
  const body = { ...settings(model, task.tools_question), tools, stopWhen: stepCountIs(3) };
  const { text, steps } = await ask(body);
  const calls = steps.flatMap((step) => step.toolCalls);
  return { text, calls: calls.map(({ toolName, input }) => [toolName, input]) };
}

const seen = {};
for (const [name, client] of Object.entries(clients)) {
  seen[name] = {};
  for (const model of task.models) {
    seen[name][model] = {
      create: await answered(client(model), whole),
      stream: await answered(client(model), streamed),
      tools: await withTools(client(model), whole),
      tools_streamed: await withTools(client(model), streamed),
    };
  }
}
console.log(JSON.stringify(seen));
