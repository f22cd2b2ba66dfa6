# SPDX-License-Identifier: MIT
"""Whether a program that was made smaller is still confluent, as far as one can tell.

What comes out of a confluent program does not depend on the schedule. Most of what one can take
away from it makes it depend, and then it proves nothing that the results differ. What is asked for
here is stricter than needed: transfers of the sizes that it had, and a run on select in which
everything that was sent is received, nothing fails, and nobody is stuck. verdict.py calls it.
"""

import model_path  # noqa: F401  (before what it leads to)
import program as language
import trace

_SENDS = frozenset((trace.VERB_SEND, trace.VERB_SEND_ALL, trace.VERB_SENDMSG))
_RECEIVES = frozenset((trace.VERB_RECV, trace.VERB_RECV_EXACT, trace.VERB_RECVMSG,
                       trace.VERB_READ))


def transfers(program):
    """What steps there are, whatever they are carried out on."""
    return {(step.kind, step.bytes, step.within_ns) for task in program.tasks
            for step in task.steps}


def is_orderly(events):
    """Whether a strict trace shows that all came to a good end."""
    sent = received = 0
    for event in events:
        fields = trace.fields(event)
        if fields.get("result", 0) < 0:
            return False
        if event[0] == trace.END:
            sent += fields["bytes"] * (fields["verb"] in _SENDS)
            received += fields["bytes"] * (fields["verb"] in _RECEIVES)
    return sent == received


def may_be_confluent(text, whole, events):
    """Whether a program that was made out of `whole`, with this strict trace, may be confluent."""
    return is_orderly(events) and transfers(language.read(text)) <= transfers(
        language.read(whole))
