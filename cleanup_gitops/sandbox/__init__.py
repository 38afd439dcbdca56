"""An embedded Confluence Cloud for demos and tests: real HTTP on the loopback interface.

It is written from Atlassian's published API descriptions and imports nothing else of the package,
so that a misunderstanding in the client cannot hide in the server too. Modules, from data to wire:

- ``world`` the data and its file; ``names``, ``cases``, ``blueprint``, ``people`` and ``seed`` a
  generated organization; ``state`` indexes and changes of a world being served
- ``queries``, ``matching``, ``cursors`` and ``views`` searches, pages and JSON
- ``answers`` error bodies; ``access`` keys, tokens and rate limits; ``faults`` and
  ``saboteur`` failures on request
- ``gate``, ``reads``, ``writes`` and ``admin`` the admin host; ``confluence`` the site; ``control``
  what a test or a demo changes from outside; ``server`` starting and stopping
"""
