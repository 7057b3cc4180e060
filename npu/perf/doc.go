// Package perf estimates what a program for Ethos-U costs before anybody has a board: the blocks that an operation may use, cycles by unit and which
// bound holds, bytes of flash and SRAM and of each layer's weights. All cycles are estimates: the model is the one that Arm's compiler Vela 5.2 chooses by, and
// Vela itself says of it that it is not accurate. It knows no program format but isa's operations.
package perf
