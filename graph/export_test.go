package graph

// PrivateMemory gives every value and gradient of a session memory of its own.
func PrivateMemory(s *Session) { s.private = true }

// RunOps runs the ops of the last step in the order of the tape, without Gorgonia's machine.
func RunOps(s *Session) {
	for _, o := range s.last.tape.ops {
		o.run()
	}
}

// UnderRaceDetector is for the tests outside the package.
const UnderRaceDetector = underRaceDetector
