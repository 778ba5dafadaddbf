"""The whole job on the bundled sandbox: no account, no set-up."""
