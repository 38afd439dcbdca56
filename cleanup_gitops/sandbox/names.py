"""Names for the invented organization, some of them meant to break things."""

from __future__ import annotations

FIRST_NAMES = (
    "Ada", "Aisha", "Alejandro", "Amara", "Anders", "Aneta", "Anh", "Astrid", "Ayumi", "Beatriz",
    "Bram", "Camille", "Carlos", "Chidi", "Dagny", "Daniel", "Deepa", "Diego", "Ebba", "Eilidh",
    "Elif", "Emeka", "Erik", "Farah", "Fatima", "Finn", "Freya", "Giulia", "Gunnar", "Hana",
    "Hassan", "Hilde", "Hugo", "Ines", "Ingrid", "Isla", "Ivan", "Jakub", "Jamila", "Jonas",
    "Kari", "Katarzyna", "Kofi", "Lars", "Leila", "Liam", "Linh", "Lucia", "Mads", "Maja",
    "Marta", "Mateo", "Mei", "Mira", "Nadia", "Niamh", "Nils", "Noor", "Oleksandr", "Olivia",
    "Omar", "Pavel", "Petra", "Priya", "Rafael", "Ragnhild", "Ravi", "Rosa", "Sander", "Sanna",
    "Sofia", "Stig", "Tariq", "Thandiwe", "Tomasz", "Tove", "Ulrike", "Vera", "Wei", "Yusuf",
)  # fmt: skip

LAST_NAMES = (
    "Abara", "Ahmed", "Andersson", "Bakker", "Banerjee", "Berg", "Bianchi", "Bjerke", "Brown",
    "Byrne", "Castro", "Chen", "Costa", "Dahl", "Diallo", "Dubois", "Eriksen", "Example", "Farouk",
    "Fischer", "Garcia", "Gupta", "Haddad", "Hansen", "Haugen", "Horvat", "Ito", "Ivanova",
    "Jansen", "Johansson", "Kaya", "Khan", "Kim", "Kovac", "Kowalski", "Larsen", "Lee", "Lopez",
    "MacLeod", "Mbeki", "Mensah", "Moreau", "Nakamura", "Nguyen", "Nilsen", "Novak", "Nwosu",
    "Olsen", "Omondi", "Park", "Pereira", "Petrov", "Popescu", "Rao", "Rossi", "Sato", "Schmidt",
    "Sharma", "Silva", "Singh", "Smith", "Solberg", "Svensson", "Tanaka", "Tran", "Virtanen",
    "Vogel", "Walsh", "Weber", "Yilmaz",
)  # fmt: skip

DEPARTMENTS: dict[str, tuple[str, ...]] = {
    "Engineering": ("Developer", "Senior Developer", "Site Reliability Engineer", "Test Engineer"),
    "Product": ("Product Manager", "Designer", "User Researcher"),
    "Sales": ("Account Manager", "Sales Engineer"),
    "Marketing": ("Content Editor", "Campaign Manager"),
    "Finance": ("Controller", "Accountant"),
    "Human Resources": ("HR Partner", "Recruiter"),
    "Legal": ("Counsel", "Paralegal"),
    "Operations": ("Operations Specialist", "Shift Lead"),
    "Customer Support": ("Support Agent", "Support Lead"),
    "Security": ("Security Analyst", "Risk Officer"),
    "IT": ("Systems Administrator", "Service Desk Analyst"),
    "Research": ("Data Scientist", "Research Fellow"),
}

PLACES = (
    ("Oslo", "Europe/Oslo"),
    ("Bergen", "Europe/Oslo"),
    ("Berlin", "Europe/Berlin"),
    ("Krakow", "Europe/Warsaw"),
    ("London", "Europe/London"),
    ("Lisbon", "Europe/Lisbon"),
    ("New York", "America/New_York"),
    ("Austin", "America/Chicago"),
    ("Sao Paulo", "America/Sao_Paulo"),
    ("Bengaluru", "Asia/Kolkata"),
    ("Singapore", "Asia/Singapore"),
    ("Sydney", "Australia/Sydney"),
)

OUTSIDE_DOMAINS = (
    "northwind.example",
    "globex.example",
    "initech.example",
    "xn--mnchen-3ya.example",
)

HOSTILE_NAMES = (
    '=HYPERLINK("http://x","y")',
    "a|b",
    "</td><script>alert(1)</script>",
    "two\nlines",
    "right\u202eto left\u200f mark",
    "@channel",
    "``` `code` ```",
    "::error::owned",
    "long " + "name " * 60,
    "Party \U0001f389 Person \U0001f469\u200d\U0001f4bb",
    "",
    "-1+1|cmd",
    "{{ 7*7 }} ${7*7} {% raw %}",
    "'; DROP TABLE users; --",
    "\x1b[31mred\x1b[0m",
    "nul\u2028separator\ttab",
)
"""Given to some ordinary people, dormant ones among them, so that they turn up in plans."""
