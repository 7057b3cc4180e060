// Package isa is the instruction set of Ethos-U55 and U65: command streams as lists of commands, as text, and as typed operations, and the payload
// by which Arm's driver receives them.
//
// A command stream is a program of register writes. NPU_SET_* commands write a register, NPU_OP_* commands start an operation with what the
// registers hold, or wait. A word is opcode[9:0] | zero[13:10] | control[15:14] | parameter[31:16]; control 1 means that a 32-bit payload follows.
package isa
