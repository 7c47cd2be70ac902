"""Makes calls with the unmodified OpenAI SDK and says what a program that uses it sees.

Reads a JSON list of tasks from its first argument and prints a JSON list of outcomes. A task is
{"create": BODY} or {"models": true}, with "base_url" where it should not be that of BASE_URL.
"""

import json
import os
import sys

import openai


def whole(answer):
    message = answer.choices[0].message
    return {
        "text": message.content,
        "tools": [tool(call) for call in message.tool_calls or []],
        "finish": answer.choices[0].finish_reason,
        "model": answer.model,
        "usage": answer.usage and answer.usage.model_dump(exclude_none=True),
    }


def tool(call):
    return {"name": call.function.name, "arguments": call.function.arguments}


def streamed(chunks):
    outcome = {"text": "", "tools": [], "finish": None, "model": None, "usage": None, "chunks": 0}
    for chunk in chunks:
        outcome["chunks"] += 1
        outcome["model"] = chunk.model
        if chunk.usage:
            outcome["usage"] = chunk.usage.model_dump(exclude_none=True)
        for choice in chunk.choices:
            outcome["text"] += choice.delta.content or ""
            outcome["finish"] = choice.finish_reason or outcome["finish"]
            for call in choice.delta.tool_calls or []:
                if call.function.name:
                    outcome["tools"].append({"name": call.function.name, "arguments": ""})
                outcome["tools"][-1]["arguments"] += call.function.arguments or ""
    return outcome


def run(task):
    client = openai.OpenAI(
        base_url=task.get("base_url", os.environ["BASE_URL"]),
        api_key=task.get("api_key", os.environ["API_KEY"]),
        max_retries=0,
        timeout=60,
    )
    try:
        if "models" in task:
            return {"models": [model.id for model in client.models.list()]}
        answer = client.chat.completions.create(**task["create"])
        return streamed(answer) if task["create"].get("stream") else whole(answer)
    except openai.APIError as error:
        body = error.body if isinstance(error.body, dict) else {}
        return {
            "error": type(error).__name__,
            "status": getattr(error, "status_code", None),
            "code": error.code,
            "reason": body.get("gateway", {}).get("reason"),
            "message": error.message,
        }


print(json.dumps([run(task) for task in json.loads(sys.argv[1])]))
