"""A headless Chromium, spoken to in the DevTools protocol over a pair of pipes."""

import json
import os
import shutil
import subprocess
from contextlib import contextmanager

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage --remote-debugging-pipe"
).split()


class Page:
    """A page of the browser; `events` is what has happened since an address was opened."""

    def __init__(self, commands, answers):
        self.commands, self.answers = commands, answers
        self.number = 0
        self.heard = ""
        self.session = None
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """Result of a method; what happens before it comes is kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        self.commands.write(json.dumps(message | ({"sessionId": self.session} if self.session else {})) + "\0")
        self.commands.flush()
        return self.wait(lambda answer: answer.get("id") == self.number)["result"]

    def wait(self, wanted):
        """First message that is wanted; the others are kept."""
        while True:
            while "\0" not in self.heard:
                news = os.read(self.answers, 1 << 20).decode()
                assert news, "the browser has ended"
                self.heard += news
            text, self.heard = self.heard.split("\0", 1)
            message = json.loads(text)
            if wanted(message):
                return message
            self.events.append(message)

    def open(self, address, width, height, mobile):
        """Show an address in a window of so many pixels, until all of it is loaded."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        self.events.clear()
        self.call("Page.navigate", url=address)
        if not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.wait(lambda event: event.get("method") == "Page.loadEventFired")

    def evaluate(self, expression):
        """Value of a JavaScript expression, or of what it promises."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def troubles(self):
        """What the page has said on the console, thrown, or failed to load."""
        kinds = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Network.loadingFailed"}
        return [event for event in self.events if event.get("method") in kinds]


@contextmanager
def browser(folder):
    """Start the browser, with its own data in `folder`, and give a page of it."""
    to_browser, commands = os.pipe()
    answers, from_browser = os.pipe()
    start = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={folder}"]
    process = subprocess.Popen(
        ["timeout", "-k", "5", "240", "bash", "-c", start, "bash", *command],
        pass_fds=(to_browser, from_browser),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(to_browser)
    os.close(from_browser)
    try:
        with os.fdopen(commands, "w") as writing:
            yield Page(writing, answers)
    finally:
        os.close(answers)
        process.terminate()
        process.wait(timeout=30)
