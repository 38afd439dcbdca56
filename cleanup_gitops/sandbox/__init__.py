"""An embedded Confluence Cloud for demos and tests: real HTTP on the loopback interface.

It is written from Atlassian's published API descriptions and imports nothing else of the package,
so that a misunderstanding in the client cannot hide in the server too. Modules, from data to wire:

- ``world`` the data and its file, with ``options`` and ``records``; ``names``, ``cases``, ``blueprint``,
  ``people``, ``furnishing`` and ``seed`` a generated organization
- ``state`` indexes and changes of a world being served; ``changes`` and ``newcomers`` changes of roles,
  groups and accounts; ``late`` what was accepted and does not show yet
- ``queries``, ``matching``, ``cursors``, ``pages`` and ``views`` searches, pages and JSON
- ``answers`` error bodies; ``access`` keys, tokens and rate limits; ``faults`` and
  ``saboteur`` failures on request
- ``gate`` and ``admin`` the admin host: ``reads``, ``group_reads``, ``v1_lists``, ``events``, ``workspaces``
  what it tells, ``writes``, ``roles``, ``invitations`` what it changes
- ``user_management`` with ``manageable``, ``profile`` and ``lifecycle``; ``tokens``; ``scim`` and what begins so
- ``confluence``, what begins so, ``cql`` and ``content_query`` the site
- ``control`` what a test or a demo changes from outside; ``server`` starting and stopping
"""
