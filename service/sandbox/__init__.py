"""An AI runtime for a machine with nothing on it: an AI API v2 server on SQLite, and a token issuer for users.

It shares no code with the rest of the service.

Serve it::

    python -m service.sandbox --data DIR [--host 127.0.0.1] [--port 9000 | 0] [--public-url URL] [--live]
        [--ready-file FILE] [--exit-with-parent] [--client-id ID] [--client-secret SECRET]
        [--no-metrics] [--slow SECONDS] [--unavailable]

or, in Python, ``server.serve(server.Options(data_dir, …))``, or ``app.create_sandbox(data_dir, public_url)`` for the
WSGI application (``app.close_sandbox`` ends it). ``DIR`` keeps data and keys between starts; the recorded runs are put
in at the first one. SIGTERM and Ctrl-C end it within two seconds.

======================================== ==============================================================
``/v2/…``                                the AI API, with a token of ``/oauth/token``
``POST /oauth/token``                    client credentials, in the form or by HTTP Basic
``/.well-known/openid-configuration``    the issuer of users' tokens; keys at ``/.well-known/jwks.json``
``GET, PUT /sandbox/faults``             ``{"metrics": true, "logs": true, "meta": true, "slow": 0,
                                         "unavailable": false}``; a ``PUT`` may name only some
``PUT /sandbox/executions/{id}/status``  ``{"status", "statusMessage"?, "resourceGroup"?}``: what a cluster
                                         would do to a run
``POST /sandbox/executions/{id}/logs``   ``{"lines": [{"timestamp"?, "msg", "container"?, "pod"?, "stream"?}],
                                         "resourceGroup"?}``: what a run would write
``GET /sandbox/runs``                    the recorded runs: id, status, description, resource group
======================================== ==============================================================

Users' tokens are minted without a server: ``mint_token(data_dir, public_url, roles=[…], zone=…, …)``, for which the
sandbox must have been started once, or ``issuer.Issuer.at(data_dir, public_url).mint(…)``, which makes the keys.
A token whose audience includes ``ai-api`` opens the runtime too, for a service that forwards its caller's token.

What a real runtime does and this one does not: it runs no containers. A new execution is ``PENDING`` until something is
logged for it, then ``RUNNING``; stopping and deleting are done at once. Any well-formed resource group exists, empty.
"""

from service.sandbox.issuer import mint_token

__all__ = ["mint_token"]
