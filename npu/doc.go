// Package npu reads files compiled for Ethos-U and runs them: the operators for the NPU in the simulator, the others in the interpreter.
package npu
