"""A real SMTP server that keeps each mail as a file, for the tests.

Prints `PORT n`, serves until standard input ends. Each mail becomes NNN.eml (as received) and NNN.json (the envelope
and what Python's own mail parser reads in it). The local part of a recipient orders an answer: `450@…` and `550@…`
answer RCPT with that code, `data-552@…` answers the end of DATA.
"""

import argparse
import asyncio
import email
import email.policy
import json
import os
import ssl
import sys

try:
    from aiosmtpd.smtp import SMTP, AuthResult
except ImportError:
    sys.exit("aiosmtpd is missing")

arguments = argparse.ArgumentParser()
arguments.add_argument("folder")
arguments.add_argument("--cert")
arguments.add_argument("--key")
arguments.add_argument("--implicit", action="store_true")
arguments.add_argument("--auth", help="USER:PASSWORD that is asked for")
options = arguments.parse_args()


class Sink:
    count = 0

    def log(self, line):
        with open(os.path.join(options.folder, "commands.log"), "a") as log:
            log.write(line + "\n")

    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        self.log(f"MAIL {address}")
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        self.log(f"RCPT {address}")
        local = address.split("@")[0]
        if local.isdigit() and len(local) == 3:
            return f"{local} as ordered"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        for address in envelope.rcpt_tos:
            if address.startswith("data-") and address[5:8].isdigit():
                return f"{address[5:8]} as ordered"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = []
        for part in mail.walk():
            if part.is_multipart():
                parts.append({"type": part.get_content_type()})
                continue
            parts.append({
                "type": part.get_content_type(),
                "charset": part.get_content_charset(),
                "encoding": part["Content-Transfer-Encoding"],
                "filename": part.get_filename(),
                "text": part.get_content().replace("\r\n", "\n"),
                "defects": [str(defect) for defect in part.defects],
            })
        seen = {
            "mail_from": envelope.mail_from,
            "rcpt_tos": envelope.rcpt_tos,
            "tls": server.transport.get_extra_info("ssl_object") is not None,
            "authenticated": bool(session.authenticated),
            "headers": [[name, str(value)] for name, value in mail.items()],
            "defects": [str(defect) for defect in mail.defects],
            "longest_line": max(len(line) for line in envelope.content.split(b"\r\n")),
            "parts": parts,
        }
        name = os.path.join(options.folder, f"{self.count:03}")
        self.count += 1
        with open(name + ".eml", "wb") as file:
            file.write(envelope.content)
        with open(name + ".part", "w") as file:
            json.dump(seen, file)
        os.rename(name + ".part", name + ".json")
        return "250 taken"


def authenticator(server, session, envelope, mechanism, data):
    given = f"{data.login.decode()}:{data.password.decode()}"
    return AuthResult(success=given == options.auth, handled=False)


async def serve():
    sink = Sink()
    context = None
    if options.cert:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.cert, options.key)
    starttls = context if context and not options.implicit else None
    extra = {}
    if options.auth:
        extra = {"authenticator": authenticator, "auth_required": True, "auth_require_tls": True}
    factory = lambda: SMTP(sink, hostname="sink.test", tls_context=starttls, enable_SMTPUTF8=True, **extra)
    server = await asyncio.get_running_loop().create_server(
        factory, "127.0.0.1", 0, ssl=context if options.implicit else None
    )
    print("PORT", server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    os._exit(0)


asyncio.run(serve())
