package compute

// pause tells the processor that a loop waits, for some ten nanoseconds: the other thread of a core gets its resources.
func pause()
