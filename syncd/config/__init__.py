"""The configuration: one TOML file, environment variables over it, secret files over those.

`load.load` reads it, `settings.py` says what it can hold, `options.check_options` checks a source's
own keys, `show.py` tells where values stand. Nobody else reads the environment.
"""
