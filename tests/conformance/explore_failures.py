# SPDX-License-Identifier: MIT
"""What is done with one program: read, written down, played again, made small, explained.

Called by explore.py.
"""

import collections
import os
import re
import subprocess
from pathlib import Path

import lawful
from campaign import BROKEN
from runner_client import TRACE, RunnerError
from shrink_edits import language
from shrinking import LIMIT_S, shrink_text
from verdict import PLAYER, Judge, NoProgram

# Where the caller is; Bazel starts a program elsewhere.
HERE = Path(os.environ.get("BUILD_WORKING_DIRECTORY", "."))
COMMAND = "bazel run -c opt //tests/conformance:explore --"


def path(text):
    """A path as the person who called understands it."""
    return (HERE / text).absolute()


def read_name(name):
    """(seed, number) of SEED:NUMBER; None of anything else."""
    match = re.fullmatch(r"(\d+):(\d+)", name)
    return match and tuple(map(int, match.groups()))


def read_program(options, name):
    """The text of a program: that of a file, or of SEED:NUMBER."""
    if not read_name(name):
        return path(name).read_text(encoding="utf-8")
    seed, number = read_name(name)
    command = [str(options.runner), "generate", "--seed", str(seed), "--number", str(number),
               "--kind", options.kind]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except OSError as error:
        raise RunnerError(f"{options.runner}: {os.strerror(error.errno)}") from None
    except subprocess.CalledProcessError as error:
        raise RunnerError(f"{name}: {error.stderr.strip()}") from None


def open_judge(options, name, text, model=None):
    """A judge of the program with this name, as it was played or is to be."""
    return Judge(options.runner, options.backends, options.mode, model or options.model,
                 options.reference, text if options.kind == "confluent" else None,
                 sum(read_name(name) or (0,)), options.kind == "rude")


# --- Playing one again --------------------------------------------------------------------------

def play_again(options):
    """Plays a program as often as is wanted: whether anything is wrong with it."""
    text = read_program(options, options.replay)
    with open_judge(options, options.replay, text) as judge:
        judge.limit(2 * LIMIT_S)
        verdicts = [judge.judge(text) for _ in range(options.times)]
        is_steady = True
        if options.times > 1 and options.mode == "strict":
            is_steady = all([print_steadiness(judge, text, backend, options.times)
                             for backend in options.backends])
    found = [verdict for verdict in verdicts if verdict]
    for (kind, backend), count in collections.Counter(one[:2] for one in found).items():
        print(f"{kind} on {backend}: {count} of {options.times} times")
    if found:
        print(explain(found[0], options), end="")
        print_objections(options, text)
    elif not is_steady:
        print("it does not come to the same every time")
    elif judge.undecided:
        for backend, why in judge.undecided.items():
            print(f"undecided: {backend}, {why}")
    elif options.mode == "strict" and options.kind != "rude" and len(options.backends) > 1:
        print("nothing fails: the traces are equal")
    else:
        print("nothing fails: accepted" if options.model else "nothing fails: played")
    return bool(found) or not is_steady


def print_steadiness(judge, text, backend, times):
    """Says how many plays on one backend come to one trace: whether all."""
    plays = [judge.play(text, backend) for _ in range(times)]
    counts = collections.Counter(played.trace if played.kind == TRACE else played.kind
                                 for played in plays)
    most = counts.most_common(1)[0][1]
    print(f"{backend}: {most} of {times} times the same")
    return most == times


def print_objections(options, text):
    """Says what strict mode does not promise for a program."""
    if options.mode == "strict" and options.kind != "rude":
        for objection in lawful.objections(language.read(text)):
            print(f"it is no strict program: {objection}")


def explain(verdict, options):
    """What was seen, with a line that says whose the two sides are."""
    if not verdict.text.strip():
        return ""
    first = {PLAYER: "the player", "reference": "the reference"}.get(verdict.kind,
                                                                     options.backends[0])
    head = f"- {first}, + {verdict.backend}\n" if "\n+ " in verdict.text else ""
    return head + verdict.text.rstrip("\n") + "\n"


# --- Making one small ---------------------------------------------------------------------------

def shrink_file(options):
    """Shrinks a program and writes it beside where it came from: whether it failed at all."""
    text = read_program(options, options.shrink)
    name = options.shrink.replace(":", "-")
    target = path(name).with_suffix("") if name == options.shrink else options.failures / name
    has_failed = shrink_to(options, options.shrink, text, Path(f"{target}.small.program"))
    if not has_failed:
        print("nothing fails: there is nothing to shrink")
    return has_failed


def shrink_to(options, program_name, text, target, model=None):
    """Shrinks a program, prints the result and writes it to a file: whether it failed at all."""
    with open_judge(options, program_name, text, model) as judge:
        shrunk = shrink_text(judge, text, options.seconds)
    if shrunk is None:
        return False
    for line in shrunk.summary():
        print(line)
    print_objections(options, shrunk.text)
    print(f"\n{shrunk.text}")
    print(explain(shrunk.verdict, options))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(shrunk.text, encoding="utf-8")
    print(f"written to {target}")
    return True


# --- What a campaign found ----------------------------------------------------------------------

def flags(options):
    """How these programs are played, as options of a command."""
    words = [f"--kind {options.kind}"] * (options.kind != "random")
    words += [f"--model {options.model}"] * bool(options.model)
    words += [f"--mode {options.mode}"] * (options.mode == "normal" and not options.model)
    return " ".join(["", *words])


def report(options, failures):
    """Writes down, shrinks and explains what failed."""
    programs = {failure.number: failure for failure in reversed(failures)}
    for _, failure in sorted(programs.items())[:options.stop_after]:
        name = f"{options.seed}:{failure.number}"
        target = options.failures / f"{options.kind}-{options.seed}-{failure.number}.program"
        text = read_program(options, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        what = f"{failure.kind} {failure.rest}".strip()
        print(f"\n{what}: program {failure.number} of seed {options.seed}, written to {target}")
        print(f"{COMMAND} --replay {name}{flags(options)}")
        try:
            model = PLAYER if failure.kind == "unexpected" else None
            if not shrink_to(options, name, text, target.with_suffix(".small.program"), model):
                print("it does not fail when it is played again; that, too, is a failure")
        except NoProgram as error:
            print(f"it cannot be shrunk: {error}")


def report_earlier(options, failures, kept):
    """Says what failed in earlier runs, which wrote it down and made it small. `kept` is a file."""
    for failure in failures:
        if failure.kind == BROKEN:
            print(f"\n{' '.join([BROKEN, *failure.rest.split()])}, found by an earlier run")
            continue
        what = f"{failure.kind} {failure.rest}".strip()
        print(f"\n{what}: program {failure.number} of seed {options.seed}, found by an earlier run")
        print(f"{COMMAND} --replay {options.seed}:{failure.number}{flags(options)}")
    print(f"\nan earlier failure counts until its line is taken out of {kept}")
