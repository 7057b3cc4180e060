package tflite

// MinRuntimeVersion is the oldest TensorFlow release whose TFLite has all operators of the model in their versions, for the metadata entry
// min_runtime_version (tensorflow/lite/tools/versioning/runtime_version.cc, the entries of the operators that Temper writes).
func MinRuntimeVersion(m *Model) string {
	newest := "1.5.0"
	for _, g := range m.Subgraphs {
		for _, o := range g.Operators {
			if v := since[opcode{code: o.Code, version: o.Version}]; later(v, newest) {
				newest = v
			}
		}
	}
	return newest
}

var since = map[opcode]string{
	{code: ADD, version: 2}: "1.14.0", {code: AVERAGE_POOL_2D, version: 2}: "1.14.0", {code: CONCATENATION, version: 2}: "1.14.0",
	{code: CONV_2D, version: 3}: "1.14.0", {code: DEPTHWISE_CONV_2D, version: 3}: "1.14.0", {code: DEQUANTIZE, version: 2}: "1.14.0",
	{code: FULLY_CONNECTED, version: 4}: "1.14.0", {code: FULLY_CONNECTED, version: 5}: "2.0.0", {code: HARD_SWISH, version: 1}: "1.15.0",
	{code: LEAKY_RELU, version: 2}: "2.3.0", {code: LOGISTIC, version: 2}: "1.14.0", {code: MAX_POOL_2D, version: 2}: "1.14.0",
	{code: MEAN, version: 2}: "1.14.0", {code: MUL, version: 2}: "1.14.0", {code: PAD, version: 2}: "1.14.0", {code: PRELU, version: 1}: "1.8.0",
	{code: QUANTIZE, version: 1}: "1.14.0", {code: QUANTIZE, version: 2}: "1.15.0", {code: RELU, version: 2}: "2.1.0", {code: RELU6, version: 2}: "1.14.0",
	{code: RESIZE_BILINEAR, version: 2}: "1.14.0", {code: RESIZE_BILINEAR, version: 3}: "2.2.0",
	{code: RESIZE_NEAREST_NEIGHBOR, version: 2}: "1.14.0", {code: RESIZE_NEAREST_NEIGHBOR, version: 3}: "2.3.0",
	{code: SOFTMAX, version: 2}: "1.14.0", {code: SUB, version: 2}: "1.14.0", {code: TANH, version: 2}: "1.14.0", {code: TRANSPOSE_CONV, version: 3}: "2.3.0",
}

// later compares versions of three numbers below 100.
func later(a, b string) bool { return number(a) > number(b) }

func number(v string) int {
	n, part := 0, 0
	for _, c := range v {
		if c == '.' {
			n, part = n*100+part, 0
			continue
		}
		part = part*10 + int(c-'0')
	}
	return n*100 + part
}
