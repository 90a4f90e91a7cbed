"""A receiver of notices: agrees to what comes, keeps it, and is kept honest by SDKs that are not ours."""

import http.server
import json
import queue
import threading

from azure.core.messaging import CloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_http_event

PATIENCE = 60


class Receiver:
    """`allowed_origin` is what it agrees to."""

    def __init__(self):
        self.allowed_origin = "*"
        self.arrived = queue.Queue()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.base_url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        """Headers and body of what comes next."""
        return self.arrived.get(timeout=PATIENCE)

    def next_event(self):
        """The next notice as a CloudEvent, as the CloudEvents SDK and the Azure SDK read it."""
        headers, body = self.next()
        event = from_http_event(HTTPMessage(headers, body))
        other = CloudEvent.from_dict(json.loads(body))
        assert (event.get_id(), event.get_source(), event.get_type()) == (other.id, other.source, other.type)
        assert (event.get_subject(), event.get_time(), event.get_data()) == (other.subject, other.time, other.data)
        assert (event.get_specversion(), other.specversion) == ("1.0", "1.0")
        return event

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def handler(receiver):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_OPTIONS(self):
            assert self.headers["WebHook-Request-Origin"]
            self.send_response(200)
            self.send_header("WebHook-Allowed-Origin", receiver.allowed_origin)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = b""
            if self.headers["aeg-event-type"] == "SubscriptionValidation":
                answer = json.dumps({"validationResponse": json.loads(body)[0]["data"]["validationCode"]}).encode()
            else:
                receiver.arrived.put((dict(self.headers), body))
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            """Nothing: the tests say what is wrong."""

    return Handler
