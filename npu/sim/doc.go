// Package sim executes programs for Ethos-U55 and U65 on memory, bit for bit, and checks them.
//
// A Machine has the regions that the program addresses, and executes its operations one after the other. What it computes is what the hardware computes if the
// program has no hazards; Hazards finds those, and Lint what the hardware forbids but a machine without SHRAM would not notice. The package knows nothing of
// networks or files.
package sim
