package sparsity

import (
	"fmt"
	"math"
)

// Schedule says at which steps masks are computed anew, and how sparse they are then. Steps count from 1: step 1 is the first that trains, as in TFMOT.
type Schedule interface {
	At(step int) (sparsity float64, update bool)
	Target() float64 // the sparsity of the last update
	Steps() int      // the training steps that it needs: the last update, or the first of one that never ends
}

// Constant has the same sparsity from Begin on (TFMOT's ConstantSparsity). Masks are computed anew every Frequency steps up to End.
type Constant struct {
	Sparsity   float64
	Begin, End int // End 0 or -1: for ever
	Frequency  int // default 100
}

// At implements Schedule.
func (c Constant) At(step int) (float64, bool) {
	return float64(float32(c.Sparsity)), updates(step, c.Begin, c.End, c.Frequency)
}

// Target implements Schedule.
func (c Constant) Target() float64 { return c.Sparsity }

// Steps implements Schedule.
func (c Constant) Steps() int {
	if c.End > 0 {
		return lastUpdate(c.Begin, c.End, c.Frequency)
	}
	if c.Begin > 0 {
		return c.Begin
	}
	return frequency(c.Frequency) // step 0 is before the training
}

// Check refuses settings that make no schedule.
func (c Constant) Check() error {
	if !inRange(c.Sparsity) {
		return fmt.Errorf("sparsity %g must be in [0, 1)", c.Sparsity)
	}
	if c.Begin < 0 || c.Frequency < 0 || c.End < -1 || c.End > 0 && c.End < c.Begin {
		return fmt.Errorf("begin %d, end %d, frequency %d: want 0 <= begin <= end, or end -1, and a positive frequency", c.Begin, c.End, c.Frequency)
	}
	return checkUpdates(c.Begin, c.End, c.Frequency)
}

// Polynomial grows from Initial at Begin to Final at End: s = final + (initial-final)*(1-t)^Power, t going from 0 to 1 (Zhu and Gupta, 2017; TFMOT's
// PolynomialDecay). Masks are computed anew every Frequency steps, counted from Begin: where Frequency does not divide End-Begin, the last update is
// before End.
type Polynomial struct {
	Initial, Final float64
	Begin, End     int
	Power          float64 // default 3
	Frequency      int     // default 100
}

// At implements Schedule. It computes in float32, operation by operation, as TFMOT does.
func (p Polynomial) At(step int) (float64, bool) {
	t := min(1, max(0, float32(step-p.Begin)/float32(p.End-p.Begin)))
	power := p.Power
	if power == 0 {
		power = 3
	}
	rest := float32(math.Pow(float64(1-t), float64(float32(power))))
	s := float32(float32(p.Initial-p.Final)*rest) + float32(p.Final)
	return float64(s), updates(step, p.Begin, p.End, p.Frequency)
}

// Target implements Schedule: a little under Final where the last update is before End.
func (p Polynomial) Target() float64 {
	s, _ := p.At(p.Steps())
	return s
}

// Steps implements Schedule.
func (p Polynomial) Steps() int { return lastUpdate(p.Begin, p.End, p.Frequency) }

// Check refuses settings that make no schedule.
func (p Polynomial) Check() error {
	if !inRange(p.Initial) || !inRange(p.Final) {
		return fmt.Errorf("sparsity %g to %g must be in [0, 1)", p.Initial, p.Final)
	}
	if p.Begin < 0 || p.End <= p.Begin || p.Frequency < 0 || p.Power < 0 {
		return fmt.Errorf("begin %d, end %d, frequency %d, power %g: want 0 <= begin < end, and the others positive", p.Begin, p.End, p.Frequency, p.Power)
	}
	return checkUpdates(p.Begin, p.End, p.Frequency)
}

func inRange(sparsity float64) bool { return sparsity >= 0 && sparsity < 1 }

func frequency(f int) int {
	if f == 0 {
		return 100
	}
	return f
}

// updates tells whether a step computes masks anew.
func updates(step, begin, end, freq int) bool {
	return step > 0 && step >= begin && (step <= end || end <= 0) && (step-begin)%frequency(freq) == 0
}

func lastUpdate(begin, end, freq int) int { return begin + (end-begin)/frequency(freq)*frequency(freq) }

// checkUpdates refuses a schedule whose only update would be at step 0, before the training.
func checkUpdates(begin, end, freq int) error {
	if end > 0 && lastUpdate(begin, end, freq) == 0 {
		return fmt.Errorf("begin %d, end %d, frequency %d: no update falls on a training step; lower the frequency", begin, end, frequency(freq))
	}
	return nil
}
