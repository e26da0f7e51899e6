"""The life cycle as documentation, drawn from the tables that decide."""

from bookings.lifecycle.rules import ENDED_UNUSED, HOLDING, PAYMENT_OF, PAYMENTS, STATES, TRANSITIONS


def life_cycle() -> str:
    """A Mermaid diagram of the states and a Markdown table of what payment may be in each."""
    lines = [
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> held",
        "    [*] --> awaiting_payment",
        "    [*] --> awaiting_approval",
        "    [*] --> confirmed",
    ]
    for state in STATES:
        lines += [f"    {state} --> {after}" for after in STATES if after in TRANSITIONS[state]]
    lines += [f"    {state} --> [*]" for state in STATES if not TRANSITIONS[state] or state in ENDED_UNUSED]
    lines += ["```", "", "| state | holds its time | " + " | ".join(f"`{p}`" for p in PAYMENTS) + " |"]
    lines.append("| --- | :-: |" + " :-: |" * len(PAYMENTS))
    for state in STATES:
        marks = " | ".join("yes" if payment in PAYMENT_OF[state] else "" for payment in PAYMENTS)
        lines.append(f"| `{state}` | {'yes' if state in HOLDING else ''} | {marks} |")
    return "\n".join(lines) + "\n"
