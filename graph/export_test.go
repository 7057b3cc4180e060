package graph

// PrivateMemory gives every value and gradient of a session memory of its own.
func PrivateMemory(s *Session) { s.private = true }

// UnderRaceDetector is for the tests outside the package.
const UnderRaceDetector = underRaceDetector
