package optim

import "math"

// Schedule gives the factor of the learning rate at a step, counted from 0.
type Schedule interface {
	At(step int) float64
}

// Constant keeps the learning rate.
type Constant struct{}

// At implements Schedule.
func (Constant) At(int) float64 { return 1 }

// StepDecay multiplies by Factor after every Every steps.
type StepDecay struct {
	Every  int
	Factor float64
}

// At implements Schedule.
func (s StepDecay) At(step int) float64 { return math.Pow(s.Factor, float64(step/max(s.Every, 1))) }

// Exponential multiplies by Factor over every Every steps, smoothly.
type Exponential struct {
	Every  int
	Factor float64
}

// At implements Schedule.
func (s Exponential) At(step int) float64 {
	return math.Pow(s.Factor, float64(step)/float64(max(s.Every, 1)))
}

// Cosine falls from 1 to End along half a cosine over Steps (Loshchilov and Hutter, 2017).
type Cosine struct {
	Steps int
	End   float64
}

// At implements Schedule.
func (s Cosine) At(step int) float64 {
	t := min(float64(step)/float64(max(s.Steps, 1)), 1)
	return s.End + (1-s.End)*(1+math.Cos(math.Pi*t))/2
}

// Warmup rises linearly over Steps, then follows Then from its beginning.
type Warmup struct {
	Steps int
	Then  Schedule
}

// At implements Schedule.
func (s Warmup) At(step int) float64 {
	if step < s.Steps {
		return float64(step+1) / float64(s.Steps)
	}
	if s.Then == nil {
		return 1
	}
	return s.Then.At(step - s.Steps)
}
