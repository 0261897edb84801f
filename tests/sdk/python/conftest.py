import pytest
from harness import KEY, Proxy, Upstream, config


@pytest.fixture
def front():
    """Starts a proxy before an upstream that plays the given script."""
    running = []

    def start(script):
        upstream = Upstream(script)
        running.append(upstream)
        proxy = Proxy(config(upstream.origin))
        running.append(proxy)
        return proxy, upstream

    yield start
    for item in reversed(running):
        item.stop()


@pytest.fixture(scope="module")
def echo():
    """A proxy without a config: it serves the model `echo`."""
    proxy = Proxy(env={"LITELLM_MASTER_KEY": KEY})
    yield proxy
    proxy.stop()
