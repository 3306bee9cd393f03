"""Says what botocore makes of pairs of AWS files.

Reads a JSON list of [config, credentials] from stdin and writes a JSON list:
for each pair a map of profiles, sso-sessions and services sections to their
keys, or null where botocore refuses a file. Nested keys are "outer.inner",
beside an empty "outer".
"""

import json
import os
import sys
import tempfile

try:
    from botocore import configloader, exceptions
except ImportError:  # the copy inside Debian's AWS CLI
    from awscli.botocore import configloader, exceptions


def flat(section):
    keys = {}
    for key, value in section.items():
        if isinstance(value, dict):
            keys[key] = ""
            for inner, text in value.items():
                keys[key + "." + inner] = text
        else:
            keys[key] = value
    return keys


def load(config, credentials):
    # The merge is that of botocore.session.Session.full_config.
    try:
        loaded = configloader.load_config(config)
        profiles = loaded["profiles"]
        for name, values in configloader.raw_config_parse(credentials).items():
            profiles.setdefault(name, {}).update(values)
    except exceptions.ConfigParseError:
        return None
    services = loaded.get("services")
    if services is None:  # botocore before 1.31
        services = {k.split()[1]: v for k, v in loaded.items() if k.startswith("services ")}
    found = {name: flat(values) for name, values in profiles.items()}
    found.update(("sso-session " + name, flat(v)) for name, v in loaded["sso_sessions"].items())
    found.update(("services " + name, flat(v)) for name, v in services.items())
    return found


results = []
with tempfile.TemporaryDirectory() as home:
    for pair in json.load(sys.stdin):
        paths = [os.path.join(home, name) for name in ("config", "credentials")]
        for path, text in zip(paths, pair):
            with open(path, "w", encoding="utf-8", newline="") as f:
                f.write(text)
        results.append(load(*paths))
json.dump(results, sys.stdout)
