#!/usr/bin/env bash
# Copies the frozen compiled files of npu/testdata anew from the corpus in ../shared: small nets by Vela 5.2.0 for all targets, with their vectors.
set -eu
cd "$(dirname "$0")/.."
corpus=../shared/corpus/ethosu
mkdir -p npu/testdata
for pair in t_add:u55-64 t_add:u65-512 t_avg:u55-32 t_avg:u55-128_legacy t_avgsame:u55-128_size t_avgsame:u65-256 t_cat:u65-512 t_dw:u55-256 t_dw:u65-512 \
	t_gap:u55-128 t_hswish:u55-32 t_hswish:u65-256 t_maxs:u55-128_size t_maxs:u55-128_legacy t_mean:u65-512 t_mul:u55-128 t_pad:u65-256_size t_sm:u55-64 t_sm:u65-512 \
	t_sub:u55-128 t_tanh:u55-32 t_tanh:u55-128_size t_tconv:u55-256 t_up:u55-64 t_up:u65-256; do
	net=${pair%:*}
	cp "$corpus/$net/vela/${pair#*:}.tflite" "npu/testdata/${net}__${pair#*:}.tflite"
	cp "$corpus/$net/vectors.npz" "npu/testdata/$net.npz"
done
git diff --stat --exit-code npu/testdata
