#!/usr/bin/env bash
# Copies the frozen operator cases of export/interp/testdata anew from the corpus in ../shared (made there by gen_ops.py and make_vectors.py).
set -eu
cd "$(dirname "$0")/.."
for file in export/interp/testdata/*.tflite; do
	name=$(basename "$file" .tflite)
	cp "../shared/corpus/tflite/ops/$name.tflite" "../shared/corpus/tflite/ops/$name.npz" export/interp/testdata/
done
git diff --stat --exit-code export/interp/testdata
