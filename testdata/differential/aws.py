"""Runs `aws configure export-credentials` for one job after another.

A job is a line of JSON on stdin: args of aws, env, dir to work in, and the
files out and err to write to. When it is done its exit status is a line of
stdout. A job in argv is done alone, with the terminal that it was started on.

Version 1 of the AWS CLI, whose botocore is the newest, has no command
export-credentials. Here it has: added by the event by which the CLI's own
customizations are, and doing what version 2 does. And it signs with a library
of AWS's in C for aws login, for which another stands in.

Half of the CLI's start is its imports. They are done once, and every job is a
fork with an environment and a directory of its own.
"""

import json
import os
import sys

# The CLI takes the directories of its caches from HOME when it is imported.
# This makes them relative to the directory that a job works in.
os.environ["HOME"] = "."

import awscli.clidriver
import awscli.handlers  # noqa: F401
import botocore.credentials  # noqa: F401
import botocore.session  # noqa: F401
from awscli.customizations.commands import BasicCommand
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key


class EC:
    """What botocore uses of awscrt.crypto.EC."""

    def __init__(self, key):
        self._key = key

    @classmethod
    def new_key_from_der_data(cls, der):
        return cls(load_der_private_key(der, None))

    def get_public_coords(self):
        public = self._key.public_key().public_numbers()
        return public.x.to_bytes(32, "big"), public.y.to_bytes(32, "big")

    def sign(self, digest):
        return self._key.sign(digest, ec.ECDSA(utils.Prehashed(SHA256())))

    @staticmethod
    def decode_der_signature_to_padded_pair(signature, pad_to):
        return b"".join(n.to_bytes(pad_to, "big") for n in utils.decode_dss_signature(signature))


botocore.credentials.EC = EC


class ExportCredentials(BasicCommand):
    NAME = "export-credentials"
    ARG_TABLE = [{"name": "format", "default": "process", "choices": ["process"]}]

    def _run_main(self, args, globals):
        credentials = self._session.get_credentials()
        if credentials is None:
            sys.stderr.write("Unable to retrieve credentials: no credentials found\n")
            return 253
        frozen = credentials.get_frozen_credentials()
        json.dump(
            {
                "Version": 1,
                "AccessKeyId": frozen.access_key,
                "SecretAccessKey": frozen.secret_key,
                "SessionToken": frozen.token or "",
            },
            sys.stdout,
        )
        return 0


def add(command_table, session, **_):
    command_table[ExportCredentials.NAME] = ExportCredentials(session)


def redirect(number, path, flags):
    opened = os.open(path, flags, 0o600)
    os.dup2(opened, number)
    os.close(opened)


def run(job):
    os.chdir(job["dir"])
    data = os.environ["AWS_DATA_PATH"]  # where the CLI found its own data
    os.environ.clear()
    os.environ.update(job["env"], AWS_DATA_PATH=data)
    redirect(1, job["out"], os.O_WRONLY | os.O_CREAT)
    redirect(2, job["err"], os.O_WRONLY | os.O_CREAT)
    sys.argv = ["aws", *job["args"]]
    driver = awscli.clidriver.create_clidriver()
    driver.session.register("building-command-table.configure", add)
    status = driver.main()
    sys.stdout.flush()
    return status


def forked(job):
    pid = os.fork()
    if pid != 0:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    status = 254
    try:
        redirect(0, os.devnull, os.O_RDONLY)
        status = run(job)
    except BaseException as e:  # the CLI's own main lets some through, too
        sys.stderr.write(f"{type(e).__name__}: {e}\n")
    finally:
        sys.stderr.flush()
        os._exit(status)


if len(sys.argv) > 1:
    sys.exit(run(json.loads(sys.argv[1])))
for line in sys.stdin:
    print(forked(json.loads(line)), flush=True)
