// Makes calls with the unmodified OpenAI SDK and says what a program that uses it sees.
//
// Reads a JSON list of tasks from its first argument and prints a JSON list of outcomes. A task is
// {"create": BODY} or {"models": true}, with "base_url" where it should not be that of BASE_URL.
import OpenAI from "openai";

const tool = (call) => ({ name: call.function.name, arguments: call.function.arguments });

function whole(answer) {
  const { message, finish_reason } = answer.choices[0];
  return {
    text: message.content,
    tools: (message.tool_calls ?? []).map(tool),
    finish: finish_reason,
    model: answer.model,
    usage: answer.usage,
  };
}

async function streamed(chunks) {
  const outcome = { text: "", tools: [], finish: null, model: null, usage: null, chunks: 0 };
  for await (const chunk of chunks) {
    outcome.chunks += 1;
    outcome.model = chunk.model;
    outcome.usage = chunk.usage ?? outcome.usage;
    for (const choice of chunk.choices) {
      outcome.text += choice.delta.content ?? "";
      outcome.finish = choice.finish_reason ?? outcome.finish;
      for (const call of choice.delta.tool_calls ?? []) {
        if (call.function.name) outcome.tools.push({ name: call.function.name, arguments: "" });
        outcome.tools.at(-1).arguments += call.function.arguments ?? "";
      }
    }
  }
  return outcome;
}

async function run(task) {
  const client = new OpenAI({
    baseURL: task.base_url ?? process.env.BASE_URL,
    apiKey: task.api_key ?? process.env.API_KEY,
    maxRetries: 0,
    timeout: 60_000,
  });
  try {
    if (task.models) return { models: (await client.models.list()).data.map((model) => model.id) };
    const answer = await client.chat.completions.create(task.create);
    return task.create.stream ? await streamed(answer) : whole(answer);
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    return {
      error: error.constructor.name,
      status: error.status ?? null,
      code: error.code ?? null,
      reason: error.error?.gateway?.reason ?? null,
      message: error.message,
    };
  }
}

const outcomes = [];
for (const task of JSON.parse(process.argv[2])) outcomes.push(await run(task));
console.log(JSON.stringify(outcomes));
