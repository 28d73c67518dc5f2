"""The plugins of the suite, by name. fixtures makes things happen, validations judges, reports tells."""

pytest_plugins = (
    "validations.guard",
    "fixtures.options",
    "fixtures.profiles",
    "fixtures.hosts",
    "fixtures.examples",
    "reports.plugin",
    "reports.redaction",
    "validations.cells",
    "validations.workers",
    "validations.suite",
    "validations.races.output",
)
