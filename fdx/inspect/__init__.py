"""What a user's recordings are, what they can show, and what would tell their classes by accident.

look        reads every recording once -> facts, landmarks
shortcuts   the audit: nuisances, a small classifier, relabellings
splits      protocols that fit; inputs: front ends that fit
inspection  all of it together, with findings, advice and commands
text, page  the same for people
"""

from fdx.callable_room import make_callable

# fdx.inspect(...) is fdx.api.inspections.inspect.
make_callable(__name__)
