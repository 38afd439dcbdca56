"""The guided tour: a scratch repository, an embedded Confluence, and the ordinary commands run one after the other."""
