// Package export turns a quantized graph into an int8 TFLite model.
//
// The graph must carry the FakeQuant Ops that package fakequant places: one on every kernel and one behind every value that the file rounds.
// TFLite does the passes and the lowering; each Kind is lowered in a file of its own name. What the file computes is the eval graph's function
// in integers: kernels keep the very codes that the fake quantizer used, a BatchNorm goes into the scales and the bias, an activation into
// the operator before it.
package export
