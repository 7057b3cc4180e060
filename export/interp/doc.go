// Package interp executes .tflite models bit for bit as the reference kernels do: it is the meaning of the file.
//
// Two profiles exist, because the reference interpreters disagree: TFLM (TensorFlow Lite Micro, and what an Ethos-U computes) rounds twice
// everywhere; LiteRTRef (LiteRT with BUILTIN_REF kernels) rounds once in FULLY_CONNECTED and rescales in a separate RELU6.
// One operator is in one file, where it registers itself; int8 kernels are integer arithmetic throughout.
package interp
