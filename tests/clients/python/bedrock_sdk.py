"""Reads a Bedrock server with the unmodified boto3, and says what a program that uses it sees.

Reads a JSON object from its first argument: "endpoint", and "calls", a list of request bodies of
Converse, each with "stream" where it should be streamed. Prints a JSON list of outcomes.
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

TASK = json.loads(sys.argv[1])
client = boto3.client(
    "bedrock-runtime",
    endpoint_url=TASK["endpoint"],
    region_name="us-east-1",
    aws_access_key_id="AKIDEXAMPLE",
    aws_secret_access_key="example",
    config=Config(retries={"total_max_attempts": 1}),
)


def told(blocks, stop, extra, usage):
    thought = [b["reasoningContent"]["reasoningText"] for b in blocks if "reasoningContent" in b]
    calls = [block["toolUse"] for block in blocks if "toolUse" in block]
    return {
        "text": "".join(block.get("text", "") for block in blocks),
        "thought": "".join(part["text"] for part in thought),
        "signature": "".join(part["signature"] for part in thought),
        "calls": [[call["toolUseId"], call["name"], call["input"]] for call in calls],
        "stop": stop,
        "extra": extra,
        "usage": usage,
    }


def whole(answer):
    message = answer["output"]["message"]
    assert message["role"] == "assistant", message
    extra = answer.get("additionalModelResponseFields")
    return told(message["content"], answer["stopReason"], extra, answer["usage"])


def streamed(events):
    """Puts the blocks together as the API's reference says, and takes no event that is unknown."""
    blocks, stopped = {}, {}
    stop = extra = usage = None
    for event in events:
        ((kind, value),) = event.items()
        if kind == "messageStart":
            assert value == {"role": "assistant"}, value
        elif kind == "contentBlockStart":
            blocks[value["contentBlockIndex"]] = {"toolUse": value["start"]["toolUse"] | {"input": ""}}
        elif kind == "contentBlockDelta":
            add(blocks.setdefault(value["contentBlockIndex"], {}), value["delta"])
        elif kind == "contentBlockStop":
            stopped[value["contentBlockIndex"]] = True
        elif kind == "messageStop":
            stop, extra = value["stopReason"], value.get("additionalModelResponseFields")
        elif kind == "metadata":
            usage = value["usage"]
        else:
            raise ValueError(f"an unknown event: {event}")
    assert list(stopped) == sorted(blocks) == list(blocks), (blocks, stopped)
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"])
    return told(list(blocks.values()), stop, extra, usage)


def add(block, delta):
    if "text" in delta:
        block["text"] = block.get("text", "") + delta["text"]
    elif "toolUse" in delta:
        block["toolUse"]["input"] += delta["toolUse"]["input"]
    else:
        thought = block.setdefault("reasoningContent", {"reasoningText": {"text": "", "signature": ""}})
        for name, text in delta["reasoningContent"].items():
            thought["reasoningText"][name] += text


def run(call):
    try:
        if call.pop("stream", False):
            return streamed(client.converse_stream(**call)["stream"])
        return whole(client.converse(**call))
    except ClientError as error:
        response = error.response
        return {
            "raised": type(error).__name__,
            "code": response["Error"]["Code"],
            "message": response["Error"]["Message"],
            "status": response.get("ResponseMetadata", {}).get("HTTPStatusCode"),
        }


print(json.dumps([run(call) for call in TASK["calls"]]))
