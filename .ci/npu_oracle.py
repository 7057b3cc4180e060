"""Compiles the corpus of single operators and nets with Vela, for `go test ./npu -run TestFolder`, and compares Temper's disassembly with Vela's.

Usage: python npu_oracle.py TEMPER SHARED FOLDER

TEMPER  the binary
SHARED  ../shared
FOLDER  receives <model>__<target>.tflite; files that are there are kept
"""
import glob
import json
import os
import re
import subprocess
import sys

temper, shared, folder = [os.path.abspath(a) for a in sys.argv[1:4]]
sys.path.insert(0, os.path.join(shared, "oracle"))
import vela  # noqa: E402

TARGETS = ["ethos-u55-32", "ethos-u55-64", "ethos-u55-128", "ethos-u55-256", "ethos-u65-256", "ethos-u65-512"]


def jobs():
    """Every operator for one target in turn, nets for two, the networks of MLPerf Tiny for all."""
    every = lambda p: enumerate(sorted(glob.glob(os.path.join(shared, p))))
    for i, f in every("corpus/tflite/ops/*_s0.tflite"):
        yield f, TARGETS[i % 6], i % 5 == 0, i % 7 == 0
    for i, f in every("corpus/tflite/nets/*_int8.tflite"):
        yield f, TARGETS[i % 6], False, False
        yield f, TARGETS[(i + 3) % 6], True, i % 2 == 0
    for _, f in every("models/mlperf_tiny/*.tflite"):
        if "float" not in f and "fp32" not in f:
            for t in TARGETS:
                yield f, t, False, False


def compile_all():
    made = 0
    for f, target, size, legacy in jobs():
        name = os.path.splitext(os.path.basename(f))[0]
        out = os.path.join(folder, "%s__%s%s%s.tflite" % (name, target[6:], "_size" if size else "", "_legacy" if legacy else ""))
        if not os.path.exists(out):
            vela.compile_model(f, target, out, "size" if size else "performance", legacy)
        made += 1
    print("%d files" % made)


def number(s):
    try:
        return int(s, 0)
    except ValueError:
        return None


def fields(line):
    return dict(re.findall(r"(\w+) ?= ?(-?\w+)", line))


def disassembly(model):
    """The commands in Vela's own text, and in ours, of the same stream."""
    p = subprocess.run([sys.executable, "-m", "ethosu.vela", model, "--accelerator-config", "ethos-u55-128", "--output-dir", folder,
                        "--verbose-register-command-stream"], capture_output=True, text=True, check=True)
    theirs = re.findall(r" - (NPU_\w+) +\d+(.*)", p.stdout)
    made = os.path.join(folder, os.path.basename(model).replace(".tflite", "_vela.tflite"))
    shown = json.loads(subprocess.run([temper, "inspect", made, "--json"], capture_output=True, text=True, check=True).stdout)
    ours = [c for program in shown["programs"] for c in program["commands"]]
    os.remove(made)
    if len(theirs) != len(ours):
        return ["%d commands, Vela prints %d" % (len(ours), len(theirs))]
    wrong = []
    for (name, rest), mine in zip(theirs, ours):
        a, b = fields(rest), fields(mine)
        if "stride" in b:
            b["addr"] = b.pop("stride")
        same = name == mine.split()[0] and set(a) <= set(b)
        for k in set(a) & set(b):
            x, y = number(a[k]), number(b[k])
            same = same and (a[k].endswith(b[k]) if y is None else x is not None and (x - y) % (1 << 16) == 0)
        if not same:
            wrong.append("%s%s: %s" % (name, rest, mine))
    return wrong


os.makedirs(folder, exist_ok=True)
compile_all()
failures = 0
for net in ("t_hswish", "t_sm", "t_cat", "t_maxs", "t_tconv", "t_sub"):
    wrong = disassembly(os.path.join(shared, "corpus/ethosu", net, net + ".tflite"))
    failures += len(wrong)
    print("%s: %s" % (net, "the disassembly is Vela's" if not wrong else "%d commands differ: %s" % (len(wrong), wrong[:3])))
sys.exit(1 if failures else 0)
