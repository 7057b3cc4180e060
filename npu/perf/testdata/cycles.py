"""Writes Vela's own estimates for the corpus' files of its default core, from the corpus' manifests, for TestCyclesAreVelas.

Usage: python cycles.py SHARED OUT
"""
import glob
import json
import os
import sys

with open(sys.argv[2], "w") as out:
    out.write("# by cycles.py, Vela 5.2.0: net, file, system configuration, memory mode; cycles in all, of the NPU, behind AXI0, behind AXI1\n")
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "corpus/ethosu/*/manifest.json"))):
        for v in json.load(open(path))["vela"]:
            if v["core"] == "regor":
                c = v["cycles"]
                out.write("%s %s %s %s %d %d %d %d\n" % (os.path.basename(os.path.dirname(path)), os.path.basename(v["file"])[:-7], v["system_config"], v["memory_mode"],
                          c["total"], c["npu"], c["sram_access"], c["off_chip_flash_access"] + c["dram_access"]))
