"""The service: REST API, FHIR operation, CDS Hooks and workbench over one engine.

``ivpush serve`` runs it; who embeds it takes ``app.create_app``. It needs the extra ``web``
(Starlette and uvicorn) and nothing above it imports it. Requests pass ``guard`` first (hosts,
origins, token, limits, headers), then an endpoint of ``checking``, ``batch``, ``catalogue``,
``fhir``, ``cds`` or ``pages``; ``openapi`` describes them all, and ``processes`` runs them.
"""
