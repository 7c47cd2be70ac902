"""Makes calls with the unmodified Anthropic SDK and says what a program that uses it sees.

Reads a JSON list of bodies from its first argument and prints a JSON list of outcomes.
"""

import json
import os
import sys

import anthropic


def told(message):
    return {
        "blocks": [block.model_dump(exclude_none=True) for block in message.content],
        "stop": message.stop_reason,
        "model": message.model,
        "usage": message.usage.model_dump(exclude_none=True),
    }


def run(body):
    client = anthropic.Anthropic(
        base_url=os.environ["BASE_URL"].removesuffix("/v1"),
        api_key=os.environ["API_KEY"],
        max_retries=0,
    )
    try:
        if body.pop("stream", False):
            with client.messages.stream(**body) as stream:
                events = [event.type for event in stream]
                return told(stream.get_final_message()) | {"events": events}
        return told(client.messages.create(**body))
    except anthropic.APIStatusError as error:
        kind = (error.body or {}).get("error", {}) if isinstance(error.body, dict) else {}
        return {"raised": type(error).__name__, "status": error.status_code, "type": kind.get("type")}
    except anthropic.APIError as error:
        return {"raised": type(error).__name__, "text": str(error)}


print(json.dumps([run(body) for body in json.loads(sys.argv[1])]))
