//go:build race

package graph

const underRaceDetector = true
