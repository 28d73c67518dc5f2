"""Adapters by which pipelines, schedulers and dashboards use the gate. Each is an example that is tested."""
