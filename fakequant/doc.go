// Package fakequant decides where quantizers go and finds their ranges: post-training quantization (PTQ) and quantization-aware training (QAT)
// as conditioners of a graph.
//
// Both put the same FakeQuant Ops into the graph, at the places where an int8 TFLite file rounds:
//
//   - the kernel of every convolution and dense layer, symmetric and narrow; per output channel for convolutions, depthwise ones included;
//     behind clusters on the int8 grid with that grid's scales, so that no code changes;
//   - the input of the network, and the end of every fused group (kernel, bias, BatchNorm, activation);
//   - the output of element-wise operators, means and separate activations;
//   - with the fixed parameters of the specification after softmax, sigmoid and tanh;
//   - with the range of their input after average pools and bilinear resizes; nothing after max-pool, pad, reshape and nearest resize,
//     which only move values;
//   - one common range for a concatenation's output and its inputs, where that output holds every value that an input's range serves; other inputs
//     are quantized again, which the file does by QUANTIZE.
//
// Ranges start from calibration on samples. PTQ leaves them there; with QAT they follow the data by a moving average, and training goes on
// through straight-through gradients.
package fakequant
