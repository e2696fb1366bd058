"""One HTTP call."""

import json
import urllib.error
import urllib.parse
import urllib.request

NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(method, url, body=None, token=None, timeout=30, form=False):
    """The status and the body, as JSON where it is. Raises OSError when there is no answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = None
    if body is not None:
        data = urllib.parse.urlencode(body).encode() if form else json.dumps(body).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded" if form else "application/json"
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with NO_PROXY.open(request, timeout=timeout) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode()
    except urllib.error.URLError as error:
        raise OSError(str(error.reason)) from error
    except (ValueError, EOFError) as error:
        raise OSError(str(error)) from error
    except Exception as error:  # http.client's own, of connections that break in the middle of an answer
        raise OSError(repr(error)) from error
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text
