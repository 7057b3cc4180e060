// Package npu compiles int8 models for Ethos-U55 and U65, and runs compiled files: the operators for the NPU in the simulator, the others in the interpreter.
//
// Compile goes through a model in these steps, a file each: which operators the NPU has (supported.go: rules, each with its message), lowering them to steps on
// feature maps (lower.go, and a file for each kind of operator), a block for each (block.go, by perf's cost model), encoded weights (pack.go), places in memory
// (allocate.go), operations with waits (emit.go), the compiled file (write.go), and a check of all of it by executing it (selfcheck.go).
//
// Feature maps lie in memory as a whole: there are no cascades of stripes yet. int16 models stay on the CPU.
package npu
