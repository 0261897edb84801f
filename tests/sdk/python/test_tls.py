"""The newest `openai` client over TLS."""

import datetime
import ipaddress
import ssl

import openai
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from harness import KEY, Proxy

HI = [{"role": "user", "content": "hi"}]


@pytest.fixture
def files(tmp_path):
    """A self-signed certificate for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bartizan")])
    now = datetime.datetime.now(datetime.timezone.utc)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (tmp_path / "server.pem").write_bytes(certificate.public_bytes(pem))
    plain = serialization.NoEncryption()
    text = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "server.key").write_bytes(text)
    (tmp_path / "server.key").chmod(0o600)
    return tmp_path


@pytest.fixture
def proxy(files):
    env = {
        "LITELLM_MASTER_KEY": KEY,
        "SSL_CERTFILE_PATH": str(files / "server.pem"),
        "SSL_KEYFILE_PATH": str(files / "server.key"),
    }
    proxy = Proxy(env=env)
    yield proxy
    proxy.stop()


def client(proxy, verify):
    http = openai.DefaultHttpxClient(verify=verify)
    return openai.OpenAI(base_url=proxy.url + "/v1", api_key=KEY, max_retries=0, http_client=http)


def test_a_client_that_trusts_the_certificate_chats_and_streams(proxy, files):
    assert proxy.url.startswith("https://")
    trusting = client(proxy, ssl.create_default_context(cafile=files / "server.pem"))
    answer = trusting.chat.completions.create(model="echo", messages=HI)
    assert answer.choices[0].message.content
    stream = trusting.chat.completions.create(model="echo", messages=HI, stream=True)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert said == answer.choices[0].message.content


def test_a_client_that_does_not_is_not_led_astray(proxy):
    with pytest.raises(openai.APIConnectionError):
        client(proxy, ssl.create_default_context()).models.list()
