"""The plugins of the suite, by name. fixtures makes things happen, validations judges, reports tells."""

pytest_plugins = (
    "fixtures.options",
    "fixtures.profiles",
    "fixtures.hosts",
    "reports.plugin",
    "validations.cells",
)
