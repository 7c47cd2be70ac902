"""What the programs of the SDKs share: the task, and what is said of it.

The task is a JSON object in the first argument: "models", "system", "question", "tools_question",
"max_tokens" and "tools", each with "name", "description", "parameters" and "result". Printed is,
for each client and each model, what a program that uses the SDK sees.
"""

import json
import os
import sys

BASE_URL = os.environ["BASE_URL"]
API_KEY = os.environ["API_KEY"]
TASK = json.loads(sys.argv[1])
RESULTS = {tool["name"]: json.dumps(tool["result"]) for tool in TASK["tools"]}


def told(text, input_tokens, output_tokens):
    return {"text": text, "input": input_tokens, "output": output_tokens}


def tools_told(calls, text):
    return {"calls": [[name, arguments] for name, arguments in calls], "text": text}


def report(clients):
    """Prints what each client saw of each model: CLIENTS maps names to functions of a model."""
    models = TASK["models"]
    print(json.dumps({name: {m: see(m) for m in models} for name, see in clients.items()}))
