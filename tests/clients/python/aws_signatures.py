"""Says how botocore signs requests that somebody else has signed.

Reads a JSON list of requests from its first argument, each with "method", "url", "headers", "body",
"service", "region", "access_key", "secret" and "session" (a session token or null). Prints for each
the Authorization header that botocore makes at the moment that the request names, over the headers
that the request says are signed.
"""

import datetime
import json
import re
import sys

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

# What botocore adds by itself.
ADDED = ("x-amz-date", "x-amz-security-token")


def signed(task):
    given = task["headers"]
    names = re.search("SignedHeaders=([^,]+)", given["authorization"]).group(1).split(";")
    moment = datetime.datetime.strptime(given["x-amz-date"], "%Y%m%dT%H%M%SZ")
    botocore.auth.get_current_datetime = lambda: moment
    request = AWSRequest(
        task["method"],
        task["url"],
        headers={name: given[name] for name in names if name not in ADDED},
        data=task["body"].encode(),
    )
    keys = Credentials(task["access_key"], task["secret"], task["session"])
    botocore.auth.SigV4Auth(keys, task["service"], task["region"]).add_auth(request)
    return request.headers["Authorization"]


print(json.dumps([signed(task) for task in json.loads(sys.argv[1])]))
