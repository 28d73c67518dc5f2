"""The adapters of `reports/integrations`, used as their users use them."""
